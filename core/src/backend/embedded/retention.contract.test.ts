import { describe, expect, it, onTestFinished } from 'vitest'
import { eventually, gate, recorder } from '../../../contract/index.ts'
import type { ActivationRecord } from '../../model/index.ts'
import { systemClock, type Clock, type MessageBus } from '../../spi/index.ts'
import type { EmbeddedBus } from './bus.ts'
import type { EmbeddedOptions } from './open.ts'
import { openTestBackend, temporaryDirectory, type TestBackend } from './testing/rig.ts'

const day = 24 * 3_600_000

/** Real time, but that the first timer of each length is soon due and the wall clock can be moved. */
function hastyClock(): { clock: Clock; advance: (ms: number) => void } {
  let ahead = 0
  const seen = new Set<number>()
  const clock: Clock = {
    ...systemClock,
    nowMs: () => systemClock.nowMs() + ahead,
    setTimer(ms, fn, options) {
      const soon = seen.has(ms) ? ms : Math.min(ms, 20)
      seen.add(ms)
      return systemClock.setTimer(soon, fn, options)
    },
  }
  return { clock, advance: ms => void (ahead += ms) }
}

async function opened(options: Partial<EmbeddedOptions> = {}, directory?: string) {
  const own = directory ?? (await folder())
  const opened = await openTestBackend(own, options)
  onTestFinished(() => opened.backend.close())
  const { bus, activations } = opened.backend
  return { ...opened, directory: own, bus: bus as EmbeddedBus, activations }
}

async function folder(): Promise<string> {
  const { directory, remove } = await temporaryDirectory()
  onTestFinished(remove)
  return directory
}

function publishMany(bus: MessageBus, topic: string, from: number, to: number): Promise<void> {
  const numbers = Array.from({ length: to - from }, (_, at) => from + at)
  return bus.publish(
    topic,
    numbers.map(number => ({ key: String(number), body: Buffer.from(String(number)) })),
  )
}

async function messagesOf({ keys }: TestBackend): Promise<number[]> {
  return (await keys('bus!log!')).map(key => Number(key.slice(-15)))
}

const options = { group: 'group', from: 'earliest', concurrency: 5000, order: 'none' } as const

describe('embedded bus: pruning', () => {
  it('deletes what every group has finished, and nothing that one still works on', async () => {
    const test = await opened()
    const { bus, backend } = test
    const { passed, open } = gate()
    const done = recorder<string>()
    const slow = new Set(['17', '1500', '2999'])
    await bus.subscribe('topic', options, async ({ key = '' }) => {
      if (slow.has(key)) await passed
      done.add(key)
    })
    await publishMany(bus, 'topic', 0, 3000)
    await done.take(2997)
    // What was at work just now is left to the next time.
    await bus.prune()
    await bus.prune()
    expect(await messagesOf(test)).toEqual([17, 1500, 2999])
    open()
    await done.take(3000)
    await bus.prune()
    expect(await messagesOf(test)).toEqual([])
    await publishMany(bus, 'topic', 3000, 3001)
    await done.take(3001)
    await backend.close()
    const again = await opened({}, test.directory)
    const seen = recorder<string>()
    await again.bus.subscribe('topic', options, async ({ key = '' }) => seen.add(key))
    await publishMany(again.bus, 'topic', 3001, 3002)
    expect(await seen.take(1)).toEqual(['3001'])
  })

  it('keeps what a group has not seen that nobody listens for now', async () => {
    const test = await opened()
    const { bus } = test
    const away = await bus.subscribe('topic', { ...options, group: 'away' }, () => Promise.resolve())
    await away.close()
    const done = recorder<string>()
    await bus.subscribe('topic', options, async ({ key = '' }) => done.add(key))
    await publishMany(bus, 'topic', 0, 10)
    await done.take(10)
    for (let time = 0; time < 3; time++) await bus.prune()
    expect((await messagesOf(test)).length).toBe(10)
  })

  it('delivers after a crash what was kept, even though all around it was deleted', async () => {
    const directory = await folder()
    const first = await openTestBackend(directory)
    const bus = first.backend.bus as EmbeddedBus
    const done = recorder<string>()
    await bus.subscribe('topic', options, async ({ key = '' }) => {
      if (key === '5' || key === '700') await new Promise(() => undefined)
      done.add(key)
    })
    await publishMany(bus, 'topic', 0, 1000)
    await done.take(998)
    await bus.prune()
    await bus.prune()
    expect(await messagesOf(first)).toEqual([5, 700])
    await first.crash()
    const again = await opened({}, directory)
    const seen = recorder<string>()
    const subscription = await again.bus.subscribe('topic', options, async ({ key = '', redelivered }) => {
      seen.add(`${key} ${redelivered}`)
    })
    expect(await seen.take(2)).toEqual(['5 true', '700 true'])
    await eventually(async () => (await subscription.depth()) === 0)
    await again.bus.prune()
    expect(await messagesOf(again)).toEqual([])
  })

  it('keeps the messages of a topic without a group for its retention, and no longer', async () => {
    const { clock, advance } = hastyClock()
    const test = await opened({ clock })
    await test.bus.ensureTopic('topic', { partitions: 1, retentionMs: day, messageBytesMax: 1000 })
    await publishMany(test.bus, 'topic', 0, 1200)
    advance(day - 60_000)
    await publishMany(test.bus, 'topic', 1200, 1210)
    await test.bus.prune()
    expect((await messagesOf(test)).length).toBe(1210)
    advance(120_000)
    await test.bus.prune()
    expect(await messagesOf(test)).toEqual(Array.from({ length: 10 }, (_, at) => 1200 + at))
    const seen = recorder<string>()
    await test.bus.subscribe('topic', options, async ({ key = '' }) => seen.add(key))
    expect((await seen.take(10))[0]).toBe('1200')
  })
})

describe('embedded backend: retention of activations', () => {
  const recordAt = (start: number): ActivationRecord => ({
    namespace: 'guest',
    name: 'hello',
    version: '0.0.1',
    subject: 'guest',
    activationId: start.toString(16).padStart(32, '0'),
    start,
    response: { statusCode: 0, result: { text: 'x'.repeat(500) } },
    logs: [],
    annotations: [],
    publish: false,
  })

  it('deletes in the background what is too old, with all its index entries', async () => {
    const { clock, advance } = hastyClock()
    const { backend, activations, keys } = await opened({ clock, retention: { activationMs: day } })
    const now = clock.nowMs()
    await activations.insertMany(Array.from({ length: 700 }, (_, at) => recordAt(now + at)))
    await activations.insertMany(Array.from({ length: 5 }, (_, at) => recordAt(now + day / 2 + at)))
    advance(day + 60_000)
    backend.startMaintenance()
    await eventually(async () => backend.stats().prunedRecords === 700)
    expect(await activations.count({ namespace: 'guest', skip: 0 })).toBe(5)
    expect((await keys('activation!')).length).toBe(5 * 4 + 1)
  })

  it('deletes the oldest when all together are too large', async () => {
    const { clock } = hastyClock()
    const { backend, activations } = await opened({ clock, retention: { activationBytes: 200_000 } })
    const now = clock.nowMs()
    await activations.insertMany(Array.from({ length: 1000 }, (_, at) => recordAt(now + at)))
    expect(backend.stats().activationBytes).toBeGreaterThan(600_000)
    backend.startMaintenance()
    await eventually(async () => backend.stats().activationBytes <= 200_000)
    const left = await activations.list({ namespace: 'guest', skip: 0, limit: 1000 })
    expect(left.length).toBeGreaterThan(0)
    expect(left[0]?.start).toBe(now + 999)
  })

  it('ends its background work when it closes', async () => {
    const { clock } = hastyClock()
    const { backend, activations } = await opened({ clock, retention: { activationMs: day } })
    await activations.insertMany(Array.from({ length: 5000 }, (_, at) => recordAt(1000 + at)))
    backend.startMaintenance()
    await eventually(async () => backend.stats().prunedRecords > 0)
    await backend.close()
    expect(backend.stats().maintenanceFailures).toBe(0)
    expect(backend.stats().prunedRecords).toBeLessThan(5000)
  })
})
