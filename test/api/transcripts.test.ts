import { execFile } from 'node:child_process'
import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { removeDirectory, repository, scratchDirectory } from '../rig/hub-process.ts'
import { openHubUnderTest, type HubUnderTest } from '../rig/hub-under-test.ts'

/** Answers that a real OpenWhisk gave, against ours. What differs is on purpose and listed in docs/compatibility.md. */

const transcripts = join(repository, '../shared/transcripts')
const groups = ['meta', 'auth', 'collections', 'actions', 'packages', 'triggers', 'rules', 'activations', 'invoke']
const sharePercentMax = 3

type Difference = { readonly id: string; readonly step: number; readonly diff: readonly string[] }

let hub: HubUnderTest | undefined
let scratch: string | undefined

beforeAll(async () => {
  scratch = scratchDirectory()
  if (existsSync(transcripts)) hub = await openHubUnderTest()
})
afterAll(async () => {
  await hub?.close()
  if (scratch !== undefined) removeDirectory(scratch)
})

describe('the recorded answers of OpenWhisk', () => {
  it('are ours but for those listed with their reason, which are fewer than 3 in 100', async context => {
    if (hub === undefined) return context.skip('needs ../shared/transcripts')
    const differences: Difference[] = []
    let requests = 0
    for (const group of groups) {
      const found = await replay(hub, group)
      differences.push(...found.differences)
      requests += found.requests
    }
    const listed = listedDifferences()
    const unlisted = differences.filter(({ id, step }) => !listed.has(`${id} [${step}]`))
    expect(unlisted).toEqual([])
    expect(requests).toBeGreaterThan(500)
    expect((differences.length / requests) * 100).toBeLessThan(sharePercentMax)
  })

  it('are compared at all: an answer that is not the recorded one is found', async context => {
    if (hub === undefined) return context.skip('needs ../shared/transcripts')
    // With one namespace in the place of both, what is foreign in the recording is the caller's own.
    const { differences } = await replay({ ...hub, other: hub.mine }, 'packages')
    expect(differences.length).toBeGreaterThan(0)
  })
})

async function replay(
  { url, mine, other }: HubUnderTest,
  group: string,
): Promise<{ differences: Difference[]; requests: number }> {
  const report = join(scratch ?? '', `${group}.json`)
  const where = ['--base', url, '--auth', mine.auth, '--auth2', other.auth]
  const script = [join(transcripts, 'compare.mjs'), ...where, join(transcripts, 'golden-dev.jsonl')]
  const text = await run([...script, '--only', `${group}/`, '--quiet', '1', '--json', report])
  const [, passed, failed] = /^(\d+) passed, (\d+) failed$/m.exec(text) ?? []
  if (passed === undefined || failed === undefined) throw new Error(`The replay of ${group} broke off:\n${text}`)
  const differences = JSON.parse(readFileSync(report, 'utf8')) as Difference[]
  return { differences, requests: Number(passed) + Number(failed) }
}

/** Its exit code says only whether all passed. */
function run(args: readonly string[]): Promise<string> {
  return new Promise(done => {
    execFile(process.execPath, args, { maxBuffer: 16 * 1024 * 1024 }, (_error, stdout, stderr) => done(stdout + stderr))
  })
}

/** The first cells of the table of recorded answers: `` `scenario/name` [step] ``. */
function listedDifferences(): Set<string> {
  const page = readFileSync(join(repository, 'docs/compatibility.md'), 'utf8')
  return new Set([...page.matchAll(/^\| `([\w-]+\/[\w-]+)` \[(\d+)\] \|/gm)].map(([, id, step]) => `${id} [${step}]`))
}
