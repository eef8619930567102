import { describe, expect, it } from 'vitest'
import { bounds, SluiceError } from '../model/index.ts'
import { FullLists } from './full-list.ts'
import { basic, createFixture, guest } from './testing/fixture.ts'

describe('lists of whole records', () => {
  it('read an item only when the one before was taken, and give everybody a turn in between [sec:S3]', async () => {
    let read = 0
    const { parts } = await new FullLists().answer('ns', async () => counted(100, () => read++), identity)
    const texts = parts?.texts[Symbol.asyncIterator]()
    await texts?.next()
    expect(read).toBe(1)
    let turns = 0
    setImmediate(() => turns++)
    await texts?.next()
    expect([read, turns]).toEqual([2, 1])
  })

  it.each([0, 1, 3])('are JSON arrays of %d items', async count => {
    const { parts } = await new FullLists().answer('ns', async () => counted(count), identity)
    let text = ''
    for await (const part of parts?.texts ?? []) text += part
    expect(JSON.parse(text)).toEqual(Array.from({ length: count }, (_, at) => ({ at })))
  })

  it('are refused beyond a number, of one namespace and of all, until one has ended', async () => {
    const lists = new FullLists()
    const ask = (namespace: string) => lists.answer(namespace, async () => counted(1), identity)
    const { fullListsMax, fullListsPerNamespaceMax } = bounds.api
    const first = await Promise.all(Array.from({ length: fullListsPerNamespaceMax }, () => ask('a')))
    await expect(ask('a')).rejects.toMatchObject({ code: 'SLUICE_OVERLOADED' })
    for (let more = fullListsPerNamespaceMax; more < fullListsMax; more++) await ask(`b${more}`)
    await expect(ask('c')).rejects.toMatchObject({ code: 'SLUICE_OVERLOADED' })
    first[0]?.parts?.done()
    await ask('a')
  })

  it('free their place when the store refuses', async () => {
    const lists = new FullLists()
    for (let turn = 0; turn < 10; turn++) {
      const refused = lists.answer('a', () => Promise.reject(new Error('away')), identity)
      await expect(refused).rejects.toThrow('away')
    }
  })

  it('stop being made when the client goes away, and make room for the next', async () => {
    const { controller, call, deps } = await createFixture()
    let read = 0
    deps.activations.listFull = async () => counted(1000, () => read++, { name: 'x'.repeat(200_000), response: {} })
    const { port } = await controller.start({ host: '127.0.0.1', port: 0 })
    const url = `http://127.0.0.1:${port}/api/v1/namespaces/_/activations?docs=true`
    for (let turn = 0; turn < 2 * bounds.api.fullListsPerNamespaceMax; turn++) {
      const abort = new AbortController()
      const answer = await fetch(url, { headers: { authorization: basic(guest) }, signal: abort.signal })
      expect(answer.status).toBe(200)
      await answer.body?.getReader().read()
      abort.abort()
      const before = read
      await expect.poll(async () => (await free()) && read - before < 500).toBe(true)
    }
    deps.activations.listFull = async () => counted(0)
    expect((await call('GET', '~activations?docs=true')).json).toEqual([])
    await controller.stop()

    async function free(): Promise<boolean> {
      const kept = deps.activations.listFull
      deps.activations.listFull = async () => counted(0)
      const { status } = await call('GET', '~activations?docs=true')
      deps.activations.listFull = kept
      return status === 200
    }
  })

  it('answer 413 when they are too large together', async () => {
    const { call, deps } = await createFixture()
    deps.activations.listFull = () => Promise.reject(new SluiceError('SLUICE_TOO_LARGE', 'too large'))
    const { status, json } = await call('GET', '~activations?docs=true')
    expect([status, json.error]).toEqual([
      413,
      "The activations are larger than 256 MB together; ask for fewer by 'limit'.",
    ])
  })
})

function identity<T>(value: T): T {
  return value
}

async function* counted(count: number, onRead: () => void = () => undefined, more = {}): AsyncGenerator<never> {
  for (let at = 0; at < count; at++) {
    onRead()
    yield { at, ...more } as never
  }
}
