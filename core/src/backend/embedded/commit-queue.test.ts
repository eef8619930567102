import { describe, expect, it } from 'vitest'
import { codeOf, gate, manualClock } from '../../../contract/index.ts'
import { bounds } from '../../model/index.ts'
import { CommitQueue, type CommitQueueOptions } from './commit-queue.ts'
import type { Engine } from './engine.ts'

type Sync = { keys: string[]; finish(): void; fail(error: Error): void }

/** A database whose syncs a test finishes by hand. */
function handDatabase() {
  const syncs: Sync[] = []
  let heard: () => void = () => undefined
  const batch = () => {
    const keys: string[] = []
    return {
      put: (key: string) => keys.push(key),
      del: (key: string) => keys.push(`-${key}`),
      close: () => Promise.resolve(),
      write: () =>
        new Promise<void>((resolve, reject) => {
          syncs.push({ keys, finish: resolve, fail: reject })
          heard()
        }),
    }
  }
  /** The sync with this number, once it has begun. */
  async function sync(at: number): Promise<Sync> {
    while (!syncs[at]) await new Promise<void>(resolve => (heard = resolve))
    return syncs[at]
  }
  return { engine: { batch } as unknown as Engine, sync, syncs }
}

function setUp(options: Partial<CommitQueueOptions> = {}) {
  const database = handDatabase()
  const clock = manualClock()
  const fatal: Error[] = []
  const queue = new CommitQueue({ engine: database.engine, epoch: 3, clock, onFatal: e => fatal.push(e), ...options })
  const put = (key: string, committed?: () => void) => queue.write(writer => void writer.put(key, '1'), committed)
  return { ...database, clock, fatal, queue, put }
}

/** Whether a promise has settled, after everything that is ready has run. */
async function isPending(promise: Promise<unknown>): Promise<boolean> {
  let pending = true
  const settled = () => void (pending = false)
  promise.then(settled, settled)
  await new Promise(resolve => setImmediate(resolve))
  return pending
}

describe('CommitQueue', () => {
  it('acknowledges no write before its sync', async () => {
    const { put, sync } = setUp()
    const write = put('a')
    const { finish } = await sync(0)
    expect(await isPending(write)).toBe(true)
    finish()
    await write
  })

  it('shares one sync among the writes of one turn', async () => {
    const { put, sync } = setUp()
    const writes = [put('a'), put('b'), Promise.resolve().then(() => put('c'))]
    const first = await sync(0)
    expect(first.keys).toEqual(['a', 'b', 'c'])
    first.finish()
    await Promise.all(writes)
  })

  it('puts what arrives during a sync into the next batch, all of it', async () => {
    const { put, sync, syncs } = setUp()
    const first = put('a')
    const one = await sync(0)
    const second = put('b')
    await new Promise(resolve => setImmediate(resolve))
    const third = put('c')
    expect(syncs.length).toBe(1)
    one.finish()
    await first
    const two = await sync(1)
    expect(two.keys).toEqual(['b', 'c'])
    expect(await isPending(second)).toBe(true)
    two.finish()
    await Promise.all([second, third])
  })

  it('tells of commits in the order of the writes, before it acknowledges them', async () => {
    const { put, sync } = setUp()
    const told: string[] = []
    const writes = ['a', 'b'].map(key => put(key, () => told.push(key)).then(() => told.push(`${key} acknowledged`)))
    ;(await sync(0)).finish()
    await Promise.all(writes)
    expect(told).toEqual(['a', 'b', 'a acknowledged', 'b acknowledged'])
  })

  it('keeps the writes of one call in one batch, and begins another when one is full', async () => {
    const { queue, put, sync } = setUp()
    const many = Array.from({ length: bounds.store.batchOpsMax + 10 }, (_, at) => `many ${at}`)
    const writes = [
      queue.write(writer => {
        for (const key of many) writer.put(key, '1')
      }),
      put('next'),
    ]
    const first = await sync(0)
    expect(first.keys).toEqual(many)
    first.finish()
    const second = await sync(1)
    expect(second.keys).toEqual(['next'])
    second.finish()
    await Promise.all(writes)
  })

  it('lets riders go along with the next commit', async () => {
    const { queue, put, sync } = setUp()
    queue.ride(writer => void writer.put('position', '1'))
    const write = put('a')
    const { keys, finish } = await sync(0)
    expect(keys).toEqual(['a', 'position'])
    finish()
    await write
  })

  it('commits riders alone when nothing else comes', async () => {
    const { queue, clock, sync, syncs } = setUp()
    queue.ride(writer => void writer.put('position', '1'))
    await clock.advance(bounds.bus.positionWriteMs - 1)
    expect(syncs.length).toBe(0)
    await clock.advance(1)
    expect((await sync(0)).keys).toEqual(['position'])
  })

  it('writes totals into the batch that they are of', async () => {
    const { queue, put, sync } = setUp()
    let count = 0
    queue.beforeSeal(writer => void writer.put(`total ${count}`, '1'))
    const first = queue.write(writer => void writer.put('a', String(++count)))
    const one = await sync(0)
    const second = queue.write(writer => void writer.put('b', String(++count)))
    expect(one.keys).toEqual(['a', 'total 1'])
    one.finish()
    await first
    const two = await sync(1)
    expect(two.keys).toEqual(['b', 'total 2'])
    two.finish()
    await second
    expect(await isPending(put('c'))).toBe(true)
  })

  it('tells of tracked writes until they are durable', async () => {
    const { queue, sync } = setUp()
    const write = queue.write(writer => void writer.putTracked('a', '"text"'))
    expect(queue.underWay('a')?.document).toMatchObject({ epoch: 3, body: '"text"' })
    const one = await sync(0)
    const later = queue.write(writer => writer.delTracked('a'))
    one.finish()
    await write
    expect(queue.underWay('a')).toBeDefined()
    expect(queue.underWay('a')?.document).toBeUndefined()
    ;(await sync(1)).finish()
    await later
    expect(queue.underWay('a')).toBeUndefined()
  })

  it('refuses everything after a failed sync, what waited too, and ends the process [rel:R4]', async () => {
    const { queue, put, sync, syncs, fatal } = setUp()
    const failing = put('a')
    const { fail } = await sync(0)
    const waiting = put('b')
    queue.ride(writer => void writer.put('position', '1'))
    fail(new Error('EIO'))
    expect(await codeOf(failing)).toBe('SLUICE_STORE_UNAVAILABLE')
    expect(await codeOf(waiting)).toBe('SLUICE_STORE_UNAVAILABLE')
    expect(await codeOf(put('c'))).toBe('SLUICE_STORE_UNAVAILABLE')
    expect(await codeOf(queue.flush())).toBe('SLUICE_STORE_UNAVAILABLE')
    await queue.settled()
    expect(syncs.length).toBe(1)
    expect(fatal.map(({ cause }) => (cause as Error).message)).toEqual(['EIO'])
  })

  it('refuses writes while too much waits for the disk, and takes them again afterwards', async () => {
    const { queue, put, sync } = setUp()
    const text = 'x'.repeat(bounds.store.pendingBytesMax / 2 + 1)
    const first = queue.write(writer => writer.keep('a', text))
    const { finish } = await sync(0)
    const second = queue.write(writer => writer.keep('b', text))
    expect(await codeOf(put('c'))).toBe('SLUICE_OVERLOADED')
    finish()
    await first
    const third = put('d')
    ;(await sync(1)).finish()
    await second
    ;(await sync(2)).finish()
    await third
  })

  it('acknowledges before the sync when it is sabotaged, so that the kill test can fail', async () => {
    const { put, syncs, clock } = setUp({ sabotage: 'acknowledge-before-sync' })
    const { passed, open } = gate()
    await put('a', open)
    await passed
    expect(syncs.length).toBe(0)
    await clock.advance(1000)
    expect(syncs.length).toBe(1)
  })
})
