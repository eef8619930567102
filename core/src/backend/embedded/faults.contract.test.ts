import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { ClassicLevel } from 'classic-level'
import { describe, expect, it, onTestFinished } from 'vitest'
import { codeOf, recorder } from '../../../contract/index.ts'
import type { ActivationRecord } from '../../model/index.ts'
import type { Logger } from '../../spi/index.ts'
import type { EmbeddedBus } from './bus.ts'
import { openEngine } from './engine.ts'
import { faulty, openTestBackend, silent, temporaryDirectory, type TestBackend } from './testing/rig.ts'

const record: ActivationRecord = {
  namespace: 'guest',
  name: 'hello',
  version: '0.0.1',
  subject: 'guest',
  activationId: 'a'.repeat(32),
  start: 1000,
  response: { statusCode: 0, result: { secret: 'payload' } },
  logs: [],
  annotations: [],
  publish: false,
}

async function temporary(): Promise<string> {
  const { directory, remove } = await temporaryDirectory()
  onTestFinished(remove)
  return directory
}

async function opened(directory: string, options: Parameters<typeof openTestBackend>[1] = {}): Promise<TestBackend> {
  const opened = await openTestBackend(directory, options)
  onTestFinished(() => opened.backend.close())
  return opened
}

/** Changes stored texts behind the backend's back. */
async function damage(directory: string, change: (key: string, text: string) => string | undefined): Promise<number> {
  const raw = new ClassicLevel(directory, { keyEncoding: 'utf8', valueEncoding: 'utf8' })
  let changed = 0
  for (const [key, text] of await raw.iterator().all()) {
    const damaged = change(key, text)
    if (damaged === undefined) continue
    await raw.put(key, damaged)
    changed++
  }
  await raw.close()
  return changed
}

/** Flips one bit in the middle of the values whose key begins with the prefix. */
function flipped(prefix: string) {
  return (key: string, text: string): string | undefined => {
    if (!key.startsWith(prefix)) return undefined
    const bytes = Buffer.from(text)
    bytes[Math.floor(bytes.length / 2)]! ^= 1
    return bytes.toString()
  }
}

describe('embedded backend: a disk that fails', () => {
  it('acknowledges nothing after a failed sync, not even when later ones would succeed [rel:R4]', async () => {
    let healthy = true
    let writes = 0
    const { backend, fatal } = await opened(await temporary(), {
      open: async (path, log) =>
        faulty(await openEngine(path, log), {
          beforeWrite: () => {
            writes++
            if (healthy) return undefined
            healthy = true
            return Promise.reject(new Error('EIO'))
          },
        }),
    })
    await backend.state.put('before', 1)
    healthy = false
    const writesBefore = writes
    const pending = [
      codeOf(backend.state.put('a', 1)),
      codeOf(backend.artifacts.put('guest/a', { entityType: 'action', namespace: 'guest', updated: 1 })),
      codeOf(backend.activations.insert(record)),
      codeOf(backend.bus.publish('topic', [{ body: Buffer.from('x') }])),
      codeOf(backend.attachments.put('guest/a', 'code', Buffer.from('x'))),
    ]
    expect(await Promise.all(pending)).toEqual([
      'SLUICE_STORE_UNAVAILABLE',
      'SLUICE_STORE_UNAVAILABLE',
      'SLUICE_STORE_UNAVAILABLE',
      'SLUICE_BUS_UNAVAILABLE',
      'SLUICE_STORE_UNAVAILABLE',
    ])
    expect(await codeOf(backend.state.put('later', 1))).toBe('SLUICE_STORE_UNAVAILABLE')
    expect(await codeOf(backend.bus.publish('topic', [{ body: Buffer.from('x') }]))).toBe('SLUICE_BUS_UNAVAILABLE')
    expect(writes).toBe(writesBefore + 1)
    expect(fatal.length).toBe(1)
    expect(fatal[0]).toMatchObject({ code: 'SLUICE_STORE_UNAVAILABLE', cause: { message: 'EIO' } })
    expect((await backend.state.get('before'))?.value).toBe(1)
  })

  it('has what was acknowledged, and nothing else half-visible, at the next start [rel:R4]', async () => {
    const directory = await temporary()
    let healthy = true
    const first = await openTestBackend(directory, {
      open: async (path, log) =>
        faulty(await openEngine(path, log), {
          beforeWrite: () => (healthy ? undefined : Promise.reject(new Error('ENOSPC'))),
        }),
    })
    await first.backend.state.put('before', 1)
    healthy = false
    await codeOf(first.backend.activations.insert(record))
    await first.backend.close()
    const { backend } = await opened(directory)
    expect((await backend.state.get('before'))?.value).toBe(1)
    expect(await backend.activations.get('guest', record.activationId)).toBeUndefined()
    expect(await backend.activations.count({ namespace: 'guest', skip: 0 })).toBe(0)
    expect(await backend.activations.insert(record)).toBe('inserted')
  })
})

describe('embedded backend: damaged values', () => {
  it('does not serve a damaged document, names its key, counts it, and serves the others [rel:R5]', async () => {
    const directory = await temporary()
    const first = await openTestBackend(directory)
    for (const id of ['guest/a', 'guest/b']) {
      await first.backend.artifacts.put(id, { entityType: 'action', namespace: 'guest', updated: 1, id })
      await first.backend.state.put(id, { id })
      await first.backend.attachments.put(id, 'code', Buffer.from(id.repeat(100)))
    }
    await first.backend.activations.insert(record)
    await first.backend.activations.insert({ ...record, activationId: 'b'.repeat(32), start: 1001 })
    await first.backend.close()
    const changed = await damage(directory, (key, text) =>
      [
        'artifact!document!guest/a',
        'state!guest/a',
        'attachment!piece!guest/a',
        'activation!record!000000000001000!',
        `activation!time!guest!${String(1e15 - 1 - 1000)}`,
      ]
        .map(prefix => flipped(prefix)(key, text))
        .find(damaged => damaged !== undefined),
    )
    expect(changed).toBe(5)

    const logged = recorder<object>()
    const log: Logger = { ...silent, error: fields => logged.add(fields) }
    const { backend } = await opened(directory, { log })
    const { artifacts, state, attachments, activations } = backend
    await expect(artifacts.get('guest/a')).rejects.toMatchObject({
      code: 'SLUICE_STORE_CORRUPT',
      message: expect.stringContaining('artifact!document!guest/a') as string,
    })
    expect(await codeOf(state.get('guest/a'))).toBe('SLUICE_STORE_CORRUPT')
    expect(await codeOf(attachments.get('guest/a', 'code'))).toBe('SLUICE_STORE_CORRUPT')
    expect(await codeOf(activations.get('guest', record.activationId))).toBe('SLUICE_STORE_CORRUPT')
    expect(backend.stats().corruptions).toBe(4)
    expect(logged.all.length).toBe(4)
    expect(JSON.stringify(logged.all)).not.toContain('payload')

    expect((await artifacts.get('guest/b'))?.document['id']).toBe('guest/b')
    const listed = await artifacts.list({ namespace: 'guest', kind: 'action', skip: 0, limit: 10 })
    expect(listed.map(({ id }) => id)).toEqual(['guest/b'])
    expect((await state.scan({ prefix: '', limit: 10 })).map(({ key }) => key)).toEqual(['guest/b'])
    expect(Buffer.from((await attachments.get('guest/b', 'code')) ?? []).length).toBe(700)
    expect((await activations.list({ namespace: 'guest', skip: 0, limit: 10 })).length).toBe(1)
    expect(await activations.get('guest', 'b'.repeat(32))).toBeDefined()
  })

  it('finds two values that were exchanged [rel:R5]', async () => {
    const directory = await temporary()
    const first = await openTestBackend(directory)
    await first.backend.state.put('a', 1)
    await first.backend.state.put('b', 2)
    await first.backend.close()
    const texts = new Map<string, string>()
    await damage(directory, (key, text) => void texts.set(key, text))
    await damage(directory, key => ({ 'state!a': texts.get('state!b'), 'state!b': texts.get('state!a') })[key])
    const { backend } = await opened(directory)
    expect(await codeOf(backend.state.get('a'))).toBe('SLUICE_STORE_CORRUPT')
    expect(await codeOf(backend.state.get('b'))).toBe('SLUICE_STORE_CORRUPT')
  })

  it('sets a damaged message aside, whole, and delivers those behind it [rel:R15]', async () => {
    const directory = await temporary()
    const first = await openTestBackend(directory)
    for (const text of ['one', 'two', 'three'])
      await first.backend.bus.publish('topic', [{ key: 'k', body: Buffer.from(text) }])
    await first.backend.close()
    let damaged = ''
    await damage(directory, (key, text) => {
      const value = key.endsWith('000000000000001') ? flipped('bus!log!topic!')(key, text) : undefined
      damaged = value ?? damaged
      return value
    })
    const { backend } = await opened(directory)
    const seen = recorder<string>()
    const subscription = await backend.bus.subscribe(
      'topic',
      { group: 'group', from: 'earliest', concurrency: 1, order: 'key' },
      async ({ body }) => seen.add(Buffer.from(body).toString()),
    )
    expect(await seen.take(2)).toEqual(['one', 'three'])
    await expect.poll(() => subscription.depth()).toBe(0)
    expect(backend.stats().corruptions).toBe(1)
    await backend.close()
    const kept: string[] = []
    await damage(directory, (key, text) => void (key.startsWith('quarantine!') && kept.push(text)))
    expect(kept).toEqual([damaged])
  })

  it('delivers everything again when the position of a group is damaged', async () => {
    const directory = await temporary()
    const first = await openTestBackend(directory)
    const options = { group: 'group', from: 'earliest', concurrency: 1, order: 'key' } as const
    const done = recorder<string>()
    await first.backend.bus.subscribe('topic', options, async ({ key }) => done.add(key ?? ''))
    await first.backend.bus.publish('topic', [{ key: 'a', body: Buffer.from('1') }])
    await done.take(1)
    await first.backend.close()
    expect(await damage(directory, flipped('bus!group!'))).toBe(1)
    const { backend } = await opened(directory)
    const again = recorder<boolean>()
    await backend.bus.subscribe('topic', options, async ({ redelivered }) => again.add(redelivered))
    expect(await again.take(1)).toEqual([true])
  })

  it('numbers messages on behind what its groups have seen when the document of the topic is damaged', async () => {
    const directory = await temporary()
    const first = await openTestBackend(directory)
    const options = { group: 'group', from: 'earliest', concurrency: 1, order: 'key' } as const
    const done = recorder<string>()
    const before = await first.backend.bus.subscribe('topic', options, async ({ key }) => done.add(key ?? ''))
    for (const key of ['a', 'b', 'c']) await first.backend.bus.publish('topic', [{ key, body: new Uint8Array() }])
    await done.take(3)
    await expect.poll(() => before.depth()).toBe(0)
    const bus = first.backend.bus as EmbeddedBus
    for (let time = 0; time < 2; time++) await bus.prune()
    expect(await first.keys('bus!log!')).toEqual([])
    await first.backend.close()
    expect(await damage(directory, flipped('bus!topic!'))).toBe(1)
    const { backend } = await opened(directory)
    await backend.bus.publish('topic', [{ key: 'd', body: new Uint8Array() }])
    const again = recorder<string>()
    await backend.bus.subscribe('topic', options, async ({ key }) => again.add(key ?? ''))
    expect(await again.take(1)).toEqual(['d'])
  })

  it('counts the records of a namespace again when its total is damaged', async () => {
    const directory = await temporary()
    const first = await openTestBackend(directory)
    await first.backend.activations.insert(record)
    await first.backend.activations.insert({ ...record, activationId: 'b'.repeat(32), sluice: { unlisted: true } })
    const bytes = first.backend.stats().activationBytes
    await first.backend.close()
    expect(await damage(directory, flipped('activation!total!'))).toBe(1)
    const { backend } = await opened(directory)
    expect(await backend.activations.count({ namespace: 'guest', skip: 0 })).toBe(1)
    expect(backend.stats().activationBytes).toBe(bytes)
  })

  it('begins an epoch of its own even when the last one cannot be read', async () => {
    const directory = await temporary()
    const first = await openTestBackend(directory)
    const revision = await first.backend.state.put('key', 1)
    await first.backend.close()
    await damage(directory, flipped('meta!epoch'))
    const { backend } = await opened(directory)
    expect(await backend.state.put('key', 2, revision)).not.toBe(revision)
  })
})

describe('embedded backend: a folder that cannot be used', () => {
  it('says so when another process has it open', async () => {
    const directory = await temporary()
    const script = `
      const { ClassicLevel } = require('classic-level')
      const db = new ClassicLevel(process.argv[1])
      db.open().then(() => console.log('open'))
      process.stdin.resume()`
    const child = spawn(process.execPath, ['-e', script, directory], {
      cwd: fileURLToPath(new URL('.', import.meta.url)),
      stdio: ['pipe', 'pipe', 'inherit'],
    })
    onTestFinished(() => void child.kill('SIGKILL'))
    await once(child.stdout, 'data')
    await expect(openTestBackend(directory)).rejects.toMatchObject({
      code: 'SLUICE_DATA_DIR',
      message: expect.stringContaining('is in use by another process') as string,
    })
  })

  it('says so when it cannot be written', async () => {
    const file = join(await temporary(), 'file')
    await writeFile(file, 'not a folder')
    expect(await codeOf(openTestBackend(join(file, 'data')))).toBe('SLUICE_DATA_DIR')
  })

  it('says so when a newer version wrote it', async () => {
    const directory = await temporary()
    const first = await openTestBackend(directory)
    await first.backend.close()
    const { seal } = await import('./envelope.ts')
    await damage(directory, key => (key === 'meta!format' ? seal(key, '2', 1, 1) : undefined))
    expect(await codeOf(openTestBackend(directory))).toBe('SLUICE_DATA_DIR')
  })

  it.each(['missing', 'nonsense'])(
    'repairs a database whose table of contents is %s, says so, and keeps the rest [rel:R5]',
    async how => {
      const directory = await temporary()
      const first = await openTestBackend(directory)
      await first.backend.state.put('key', 'value')
      await first.backend.close()
      if (how === 'missing') await rm(join(directory, 'CURRENT'))
      else await writeFile(join(directory, 'CURRENT'), 'nonsense\n')
      const logged = recorder<object>()
      const { backend } = await opened(directory, { log: { ...silent, error: fields => logged.add(fields) } })
      expect((await backend.state.get('key'))?.value).toBe('value')
      expect(logged.all.length).toBeGreaterThan(0)
    },
  )
})
