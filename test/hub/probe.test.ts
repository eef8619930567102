import { readFileSync, statSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { afterAll, beforeEach, describe, expect, it } from 'vitest'
import { createApi, type Api } from '../rig/api.ts'
import { dockerMissing } from '../rig/docker-needed.ts'
import { removeDirectory, repository, startHub } from '../rig/hub-process.ts'
import { machineDecides, printTable, readTable, withTable, type Way } from '../rig/probe/gaps-table.ts'
import { runProbe, type Attempt, type ProbeResult } from '../rig/probe/run-probe.ts'

/**
 * A hostile action tries 34 ways out (test/rig/probe). In a container of an engine it gets nowhere; what it gets as a
 * process is what docs/security.md says. SLUICE_WRITE_DOCS=1 writes the table there anew.
 */

const page = join(repository, 'docs/security.md')
const image = 'sluice/action-nodejs-v20:latest'
const writesDocs = process.env.SLUICE_WRITE_DOCS === '1'
const missing = await dockerMissing(image)
const outcomes: Partial<Record<Way, readonly Attempt[]>> = {}

afterAll(() => {
  for (const [way, attempts] of Object.entries(outcomes) as [Way, Attempt[]][]) {
    const denied = attempts.filter(attempt => attempt.denied).length
    console.log(`probe, ${way}: ${denied} of ${attempts.length} denied`)
  }
  if (!writesDocs || Object.keys(outcomes).length < 3) return
  writeFileSync(page, withTable(readFileSync(page, 'utf8'), printTable(outcomes)))
})

function expectAllOf({ attempts }: ProbeResult): void {
  expect(attempts).toHaveLength(34)
  expect(new Set(attempts.map(({ name }) => name)).size).toBe(34)
  const counts: Record<string, number> = {}
  for (const { group } of attempts) counts[group] = (counts[group] ?? 0) + 1
  expect(counts).toEqual({
    privilege: 4,
    kernel: 4,
    files: 4,
    resources: 6,
    host: 6,
    network: 6,
    'runtime takeover': 1,
    'neighbour data': 1,
    'platform secrets': 1,
    'known runtime escape': 1,
  })
}

const gapsOf = (attempts: readonly Attempt[]): Attempt[] => attempts.filter(({ denied }) => !denied)
const namesOf = (attempts: readonly Attempt[]): string[] => attempts.map(({ name }) => name)

describe('a hostile action in a container of an engine', () => {
  beforeEach(context => context.skip(missing !== '', missing))

  it('[sec:S9] [sec:S11] [sec:S10] is denied every attempt, and reaches the public API', async () => {
    const result = await runProbe({ containers: 'docker' })
    expectAllOf(result)
    outcomes.Docker = result.attempts
    expect(gapsOf(result.attempts)).toEqual([])
    expect(result.api).toBe(true)
    if (writesDocs) return
    const written = readTable(readFileSync(page, 'utf8')).Docker
    expect({ names: [...written.names].sort(), gaps: written.gaps }).toEqual({
      names: namesOf(result.attempts).sort(),
      gaps: [],
    })
  })

  it('[sec:S10] reaches nothing at all with egress `none`', async () => {
    const { attempts, api } = await runProbe({ containers: 'docker', egress: 'none' })
    expect(gapsOf(attempts)).toEqual([])
    expect(api).toBe(false)
  })

  it('[sec:S10] reaches the internet and the public API with egress `open`, and nothing else', async () => {
    const { attempts, api } = await runProbe({ containers: 'docker', egress: 'open' })
    expect(namesOf(gapsOf(attempts))).toEqual(['reach the internet'])
    expect(api).toBe(true)
  })
})

describe('a hostile action in a process', () => {
  const users: readonly { way: Way; user?: number; cannot: () => string }[] = [
    { way: 'process, ordinary user', ...(isRoot() ? { user: 65534 } : {}), cannot: whyNotOrdinary },
    { way: 'process, root', cannot: () => (isRoot() ? '' : 'needs root: the hub is to run as root') },
  ]
  for (const { way, user, cannot } of users) {
    it(`[sec:S9] gets what docs/security.md says, no more and no less: ${way}`, async context => {
      context.skip(process.platform !== 'linux', 'needs Linux: elsewhere the machine is another one')
      context.skip(cannot() !== '', cannot())
      const result = await runProbe({ containers: 'process', user })
      expectAllOf(result)
      outcomes[way] = result.attempts
      if (writesDocs) return
      const written = readTable(readFileSync(page, 'utf8'))[way]
      expect([...written.names].sort()).toEqual(namesOf(result.attempts).sort())
      const certain = (names: readonly string[]): string[] => names.filter(name => !machineDecides.has(name)).sort()
      expect(certain(namesOf(gapsOf(result.attempts)))).toEqual(certain(written.gaps))
    })
  }
})

describe('what an action leaves behind', () => {
  for (const containers of ['docker', 'process'] as const) {
    it(`[sec:S11] meets no other action, revision or namespace: ${containers}`, async context => {
      context.skip(containers === 'docker' && missing !== '', missing)
      const hub = await startHub({ containers })
      const apis = { alpha: createApi(hub.url, hub.keys.alpha), beta: createApi(hub.url, hub.keys.beta) }
      try {
        const call = async (api: Api, name: string): Promise<unknown> =>
          (await api.call('POST', `actions/${name}?blocking=true&result=true`, { body: {} })).body
        const put = (api: Api, name: string, comment: string) =>
          api.call('PUT', `actions/${name}?overwrite=true`, { body: leaver(comment) })
        await put(apis.alpha, 'leaver', 'first')
        expect(await call(apis.alpha, 'leaver')).toEqual({ file: false, memory: false })
        // The same container, while nothing has changed: it does leave something.
        expect(await call(apis.alpha, 'leaver')).toEqual({ file: true, memory: true })
        await put(apis.alpha, 'leaver', 'second')
        await put(apis.alpha, 'other', 'first')
        await put(apis.beta, 'leaver', 'first')
        const nothing = { file: false, memory: false }
        expect(await call(apis.alpha, 'leaver')).toEqual(nothing)
        expect(await call(apis.alpha, 'other')).toEqual(nothing)
        expect(await call(apis.beta, 'leaver')).toEqual(nothing)
      } finally {
        await Promise.all(Object.values(apis).map(api => api.close()))
        await hub.stop()
        removeDirectory(dirname(hub.dataDir))
      }
    })
  }
})

/** Says what it finds of an earlier run, and leaves it. */
function leaver(comment: string): object {
  const code = `
    const fs = require('fs'), path = require('path').join(require('os').tmpdir(), 'left')
    exports.main = () => {
      const found = { file: fs.existsSync(path), memory: globalThis.left === true }
      fs.writeFileSync(path, '${comment}')
      globalThis.left = true
      return found
    }`
  return { exec: { kind: 'nodejs:20', code } }
}

function isRoot(): boolean {
  return process.getuid?.() === 0
}

/** As root the tests start the hub as another user: he must be able to read it. */
function whyNotOrdinary(): string {
  if (!isRoot()) return ''
  const readable = (path: string): boolean => (statSync(path).mode & 0o5) === 0o5
  for (let folder = join(repository, 'hub/dist/src'); ; folder = dirname(folder)) {
    if (!readable(folder)) return 'needs a clone that every user can read'
    if (folder === dirname(folder)) return ''
  }
}
