import { describe, expect, it } from 'vitest'
import { killRun } from '../rig/kill-run.ts'

/** reliability.md R1 in its short form, and its twin without the protection (§7.3). */
describe('a hub that is killed under load', () => {
  it('[rel:R1] [rel:R21] [promise:P1] [promise:P3] [promise:P4] [feed:D1] loses nothing accepted over 12 kills and repeats only what was in flight', async () => {
    const report = await killRun({ kills: 12, seed: 20261124, firesPerSecond: 50, invokesPerSecond: 20 })
    console.log(JSON.stringify(report))
    expect(report.losses).toEqual([])
    expect(report.unexpected).toEqual([])
    expect(report.firesAccepted).toBeGreaterThan(200)
    expect(report.unexplainedRepetitions).toBe(0)
    expect(report.duplicatesOfWorstKill).toBeLessThanOrEqual(report.inFlightMax)
    expect(report.books.inFlight).toBe(0)
    expect(report.books.settled).toBe(report.books.accepted)
  }, 240_000)

  it('loses what it accepted when it answers before the sync: the check above can fail', async () => {
    const report = await killRun({
      kills: 3,
      seed: 7,
      firesPerSecond: 50,
      invokesPerSecond: 20,
      sabotage: 'acknowledge-before-sync',
      settleMs: 4000,
    })
    console.log(JSON.stringify({ ...report, losses: report.losses.length }))
    expect(report.losses.length).toBeGreaterThan(0)
  }, 120_000)
})
