import { spawn } from 'node:child_process'
import { existsSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { createInterface } from 'node:readline'
import { describe, expect, it, onTestFinished } from 'vitest'
import { openTestBackend, temporaryDirectory } from './testing/rig.ts'

const writer = fileURLToPath(new URL('testing/writer.mjs', import.meta.url))
const built = existsSync(fileURLToPath(new URL('../../../dist/src/backend/embedded/index.js', import.meta.url)))
if (!built) console.warn('kill test of the embedded backend skipped: core is not built (npm run build)')

/** Runs a writer on the directory and kills it in the middle; gives what it had acknowledged. */
async function writeAndKill(directory: string, round: number, sabotage: string[] = []): Promise<string[]> {
  const child = spawn(process.execPath, [writer, directory, String(round), ...sabotage], {
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  const exited = new Promise(resolve => child.once('exit', resolve))
  const lines: string[] = []
  for await (const line of createInterface({ input: child.stdout })) {
    lines.push(line)
    // Not at a round moment: the kill is to hit a write.
    if (lines.length === 60 + round * 17) child.kill('SIGKILL')
  }
  await exited
  return lines.filter(line => line !== 'ready')
}

/** `messages` collects what the group has seen so far: it goes on where it was. */
async function lostOf(directory: string, acknowledged: readonly string[], messages: Set<string>): Promise<string[]> {
  const { backend } = await openTestBackend(directory)
  await backend.bus.subscribe(
    'fires',
    { group: 'check', from: 'earliest', concurrency: 1, order: 'topic' },
    async ({ key }) => void messages.add(key ?? ''),
  )
  const end = `end ${acknowledged.length}`
  await backend.bus.publish('fires', [{ key: end, body: new Uint8Array() }])
  await expect.poll(() => messages.has(end), { timeout: 20_000 }).toBe(true)
  const lost: string[] = []
  for (const id of acknowledged) {
    if (!messages.has(id)) lost.push(`message ${id}`)
    if (!(await backend.activations.get('guest', id.padStart(32, '0')))) lost.push(`record ${id}`)
    if (!(await backend.state.get(`writers/${id}`))) lost.push(`document ${id}`)
  }
  expect(backend.stats().corruptions).toBe(0)
  // A crash leaves no half record: lists and counts agree.
  const listed = await backend.activations.count({ namespace: 'guest', skip: 0 })
  expect(await backend.activations.count({ namespace: 'guest', name: 'hello', skip: 0 })).toBe(listed)
  expect(await backend.activations.count({ namespace: 'guest', sinceMs: 0, skip: 0 })).toBe(listed)
  await backend.close()
  return lost
}

describe.skipIf(!built)('embedded backend under SIGKILL', () => {
  it('has everything that was acknowledged after each of ten kills on one growing database [rel:R3]', async () => {
    const { directory, remove } = await temporaryDirectory()
    onTestFinished(remove)
    const acknowledged: string[] = []
    const messages = new Set<string>()
    for (let round = 0; round < 10; round++) {
      acknowledged.push(...(await writeAndKill(directory, round)))
      expect(await lostOf(directory, acknowledged, messages)).toEqual([])
    }
    expect(acknowledged.length).toBeGreaterThan(1000)
  }, 60_000)

  it('loses writes when they are acknowledged before the sync: the test above can fail', async () => {
    const { directory, remove } = await temporaryDirectory()
    onTestFinished(remove)
    const acknowledged = await writeAndKill(directory, 0, ['acknowledge-before-sync'])
    expect((await lostOf(directory, acknowledged, new Set())).length).toBeGreaterThan(0)
  }, 30_000)
})
