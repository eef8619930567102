import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, it } from 'vitest'
import { repository } from '../rig/hub-process.ts'
import { killRun } from '../rig/kill-run.ts'

/** reliability.md R1 in its full length; the report is kept in docs/results. */
it('[rel:R1] [rel:R21] loses nothing accepted over 60 kills, and repeats only what was in flight', async () => {
  const report = await killRun({ kills: 60, seed: 60, firesPerSecond: 50, invokesPerSecond: 20, settleMs: 60_000 })
  const folder = join(repository, 'docs/results')
  mkdirSync(folder, { recursive: true })
  writeFileSync(join(folder, 'kill.json'), `${JSON.stringify(report, undefined, 2)}\n`)
  expect(report.losses).toEqual([])
  expect(report.unexpected).toEqual([])
  expect(report.unexplainedRepetitions).toBe(0)
  expect(report.duplicatesOfWorstKill).toBeLessThanOrEqual(report.inFlightMax)
  expect(report.books.inFlight).toBe(0)
  expect(report.books.settled).toBe(report.books.accepted)
}, 1_800_000)
