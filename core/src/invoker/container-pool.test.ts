import { describe, expect, it, onTestFinished } from 'vitest'
import { bounds } from '../model/index.ts'
import { manualClock, settled, type ManualClock } from '../../contract/manual-clock.ts'
import type { Container, ContainerExit, ContainerFactory, ContainerSpec, Logger } from '../spi/index.ts'
import { createContainerPool, type ContainerPool, type Lease, type PoolOptions } from './container-pool.ts'
import type { ActionSpec } from './pooled-container.ts'

describe('the container pool', () => {
  it('starts a container for the first run and gives the next one the warm container', async () => {
    const { pool, factory } = setUp()
    const first = await pool.acquire(action('a'))
    expect(first.start).toBe('cold')
    first.initialised()
    first.release('keep')
    const second = await pool.acquire(action('a'))
    expect(second.start).toBe('warm')
    expect(second.pooled).toBe(first.pooled)
    expect(factory.created).toHaveLength(1)
  })

  it('keeps namespaces, actions and revisions apart', async () => {
    const { pool, factory } = setUp()
    for (const key of ['ns1 a 1', 'ns2 a 1', 'ns1 b 1', 'ns1 a 2']) {
      const lease = await pool.acquire(action(key))
      lease.initialised()
      lease.release('keep')
    }
    expect(factory.created).toHaveLength(4)
  })

  it('never starts more than its memory allows, and a waiting run gets what is released', async () => {
    const { pool, factory } = setUp({ userMemoryMb: 512 })
    const leases = await Promise.all([pool.acquire(action('a')), pool.acquire(action('a'))])
    const third = Promise.resolve(pool.acquire(action('a')))
    await settled()
    expect(factory.created).toHaveLength(2)
    expect(pool.queued()).toBe(1)
    for (const lease of leases) lease.initialised()
    leases[0]?.release('keep')
    expect((await third).pooled).toBe(leases[0]?.pooled)
    expect(pool.stats().memoryMb).toBe(512)
  })

  it('starts no second container as long as the warm one gets through the queue at once', async () => {
    const { pool, factory, clock } = setUp()
    const first = await pool.acquire(action('a'))
    first.initialised()
    await clock.advance(1)
    first.release('keep')
    const running = await pool.acquire(action('a'))
    const waiting = Promise.resolve(pool.acquire(action('a')))
    await clock.advance(bounds.invoker.growAfterMs - 1)
    expect(factory.created).toHaveLength(1)
    running.release('keep')
    expect((await waiting).pooled).toBe(first.pooled)
  })

  it('starts a second container when a run has waited for long after all', async () => {
    const { pool, factory, clock } = setUp()
    const first = await pool.acquire(action('a'))
    first.initialised()
    await clock.advance(1)
    first.release('keep')
    await pool.acquire(action('a'))
    const waiting = Promise.resolve(pool.acquire(action('a')))
    await clock.advance(bounds.invoker.growAfterMs)
    expect(factory.created).toHaveLength(2)
    expect((await waiting).start).toBe('cold')
  })

  it('starts containers at once for a queue that its warm one would take long for', async () => {
    const { pool, factory, clock } = setUp()
    const first = await pool.acquire(action('a'))
    first.initialised()
    await clock.advance(100)
    first.release('keep')
    await pool.acquire(action('a'))
    void pool.acquire(action('a'))
    await settled()
    expect(factory.created).toHaveLength(2)
  })

  it('evicts the idle container that was used least recently, and waits until it is gone', async () => {
    const { pool, factory, clock } = setUp({ userMemoryMb: 512 })
    const old = await used(pool, 'a')
    await clock.advance(10)
    await used(pool, 'b')
    factory.holdDestroy = true
    const third = Promise.resolve(pool.acquire(action('c')))
    await settled()
    expect(factory.created).toHaveLength(2)
    expect(factory.destroying).toEqual([old.pooled.container.name])
    factory.finishDestroys()
    expect((await third).start).toBe('cold')
  })

  it('evicts only what is missing, counting memory that is free', async () => {
    const { pool, factory } = setUp({ userMemoryMb: 768 })
    await used(pool, 'a')
    await used(pool, 'b')
    await pool.acquire(action('c', { memoryMb: 512 }))
    expect(factory.destroyed).toHaveLength(1)
  })

  it('evicts nothing when that would not give the place', async () => {
    const { pool, factory } = setUp({ userMemoryMb: 512 })
    await pool.acquire(action('busy'))
    await used(pool, 'idle')
    void Promise.resolve(pool.acquire(action('big', { memoryMb: 512 }))).catch(() => undefined)
    await settled()
    expect(factory.destroyed).toHaveLength(0)
  })

  it('refuses at once what its memory can never hold', () => {
    const { pool, factory } = setUp({ userMemoryMb: 256 })
    expect(() => pool.acquire(action('big', { memoryMb: 512 }))).toThrow('needs 512 MB')
    expect(factory.created).toHaveLength(0)
    expect(pool.queued()).toBe(0)
  })

  it('gives up a container of a busy action when another has waited for long', async () => {
    const { pool, factory, clock } = setUp({ userMemoryMb: 256 })
    const first = await pool.acquire(action('a'))
    first.initialised()
    const again = Promise.resolve(pool.acquire(action('a')))
    const other = Promise.resolve(pool.acquire(action('b')))
    await clock.advance(1000)
    first.release('keep')
    const lease = await other
    expect(factory.destroyed).toHaveLength(1)
    lease.initialised()
    await clock.advance(1000)
    lease.release('keep')
    expect((await again).start).toBe('cold')
  })

  it('lets a container serve its queue for as long as a start takes before another has its turn', async () => {
    const { pool, factory, clock } = setUp({ userMemoryMb: 256 })
    const first = await pool.acquire(action('a'))
    const others = [1, 2].map(() => Promise.resolve(pool.acquire(action('a'))))
    const b = Promise.resolve(pool.acquire(action('b')))
    await clock.advance(1000)
    first.initialised()
    first.release('keep')
    const second = await others[0]
    expect(second?.pooled).toBe(first.pooled)
    // The one start that was measured took 1000 ms and counts for an eighth.
    await clock.advance(300)
    second?.release('keep')
    expect((await b).start).toBe('cold')
    expect(factory.destroyed).toHaveLength(1)
    void others[1]?.catch(() => undefined)
  })

  it('takes callers in turn with a backlog from the bus', async () => {
    const { pool } = setUp({ userMemoryMb: 256 })
    const first = await pool.acquire(action('a'))
    first.initialised()
    const order: string[] = []
    const take = (name: string, awaited: boolean): void =>
      void Promise.resolve(pool.acquire(action('a'), awaited)).then(lease => {
        order.push(name)
        lease.release('keep')
      })
    for (const name of ['bus 1', 'bus 2', 'bus 3']) take(name, false)
    take('caller', true)
    first.release('keep')
    await settled()
    expect(order).toEqual(['caller', 'bus 1', 'bus 2', 'bus 3'])
  })

  it('turns back at the end what only the bus waits for, not what a caller does', async () => {
    const { pool } = setUp({ userMemoryMb: 256 })
    const first = await pool.acquire(action('a'))
    first.initialised()
    const fromBus = Promise.resolve(pool.acquire(action('a')))
    const ofOther = Promise.resolve(pool.acquire(action('b')))
    const caller = Promise.resolve(pool.acquire(action('a'), true))
    pool.turnBack()
    await expect(fromBus).rejects.toMatchObject({ code: 'SLUICE_CLOSED' })
    await expect(ofOther).rejects.toMatchObject({ code: 'SLUICE_CLOSED' })
    expect(pool.queued()).toBe(1)
    first.release('keep')
    expect((await caller).start).toBe('warm')
  })

  it('gives what becomes free to the namespace that holds the least, however many actions another has waiting [promise:P9]', async () => {
    const { pool, clock } = setUp({ userMemoryMb: 512 })
    const alice = (key: string): Promise<Lease> =>
      Promise.resolve(pool.acquire(action(`alice ${key}`, { namespaceUuid: 'alice' })))
    const held = await Promise.all([alice('1'), alice('1')])
    for (const key of ['1', '2', '3', '4']) void alice(key).catch(() => undefined)
    const bob = Promise.resolve(pool.acquire(action('bob', { namespaceUuid: 'bob' })))
    await clock.advance(1000)
    for (const lease of held) lease.initialised()
    await clock.advance(1000)
    held[0]?.release('keep')
    expect((await bob).start).toBe('cold')
  })

  it('lets a long run of another namespace be the last before one that waits has its turn', async () => {
    const { pool, clock } = setUp({ userMemoryMb: 256 })
    const alice = action('alice', { namespaceUuid: 'alice' })
    const first = await pool.acquire(alice)
    first.initialised()
    await clock.advance(3000)
    first.release('keep')
    const second = await pool.acquire(alice)
    void Promise.resolve(pool.acquire(alice)).catch(() => undefined)
    const bob = Promise.resolve(pool.acquire(action('bob', { namespaceUuid: 'bob' })))
    await clock.advance(1)
    second.release('keep')
    expect((await bob).start).toBe('cold')
  })

  it('tells whether a run would wait long, by the whole time that the first run took', async () => {
    const { pool, clock } = setUp({ userMemoryMb: 256 })
    const first = await pool.acquire(action('a'))
    first.initialised()
    await clock.advance(12_000)
    first.release('keep')
    expect(pool.waitsLonger(action('a'), 5000)).toBe(false)
    await pool.acquire(action('a'))
    expect(pool.waitsLonger(action('a'), 5000)).toBe(true)
    await clock.advance(8000)
    expect(pool.waitsLonger(action('a'), 5000)).toBe(false)
  })

  it('tells whether a run would wait long, by the age of what runs, when no run has ended yet', async () => {
    const { pool, clock } = setUp({ userMemoryMb: 256 })
    const first = await pool.acquire(action('a'))
    first.initialised()
    expect(pool.waitsLonger(action('a'), 5000)).toBe(false)
    await clock.advance(5001)
    expect(pool.waitsLonger(action('a'), 5000)).toBe(true)
  })

  it('expects no wait while there is memory for another container', async () => {
    const { pool, clock } = setUp({ userMemoryMb: 512 })
    const first = await pool.acquire(action('a'))
    first.initialised()
    await clock.advance(12_000)
    expect(pool.waitsLonger(action('a'), 5000)).toBe(false)
    await used(pool, 'b')
    expect(pool.waitsLonger(action('a'), 5000)).toBe(false)
    await pool.acquire(action('b'))
    expect(pool.waitsLonger(action('a'), 5000)).toBe(true)
  })

  it('takes no start to be slow because it had to wait for what an earlier hub left', async () => {
    const { pool, factory, clock } = setUp()
    const { promise, resolve } = withResolvers<void>()
    factory.before = promise
    const waiting = Promise.resolve(pool.acquire(action('a')))
    await clock.advance(60_000)
    resolve()
    const lease = await waiting
    lease.initialised()
    await clock.advance(10)
    lease.release('destroy')
    await settled()
    expect(pool.waitsLonger(action('a'), 5000)).toBe(false)
  })

  it('starts one container for as many runs as it will hold', async () => {
    const { pool, factory } = setUp()
    const runs = Array.from({ length: 7 }, () => Promise.resolve(pool.acquire(action('a', { concurrency: 3 }))))
    await settled()
    expect(factory.created).toHaveLength(3)
    for (const pooled of [runs[0], runs[1], runs[2]]) (await pooled)?.initialised()
    const leases = await Promise.all(runs)
    expect(factory.created).toHaveLength(3)
    expect(pool.queued()).toBe(0)
    expect(new Set(leases.map(({ pooled }) => pooled)).size).toBe(3)
  })

  it('lets several runs into one container once it is initialised, up to its concurrency', async () => {
    const { pool, factory } = setUp()
    const spec = action('a', { concurrency: 3 })
    const first = await pool.acquire(spec)
    const others = [pool.acquire(spec), pool.acquire(spec), pool.acquire(spec)].map(lease => Promise.resolve(lease))
    first.initialised()
    const second = await others[0]
    expect(second?.pooled).toBe(first.pooled)
    await Promise.all(others)
    expect(factory.created.length).toBeGreaterThan(1)
    expect(first.pooled.active).toBeLessThanOrEqual(3)
  })

  it('a run that destroys its container leaves those beside it to finish', async () => {
    const { pool, factory } = setUp()
    const spec = action('a', { concurrency: 2 })
    const first = await pool.acquire(spec)
    first.initialised()
    const second = await pool.acquire(spec)
    expect(second.pooled).toBe(first.pooled)
    first.release('destroy')
    await settled()
    expect(factory.destroyed).toHaveLength(0)
    second.release('keep')
    await settled()
    expect(factory.destroyed).toHaveLength(1)
  })

  it('takes a stem cell of the same kind and memory, and starts another', async () => {
    const { pool, factory, clock } = setUp({ stemCells: [{ kind: 'nodejs:20', memoryMb: 256, count: 1 }] })
    pool.start()
    await settled()
    expect(pool.stats().prewarmed).toBe(1)
    const lease = await pool.acquire(action('a'))
    expect(lease.start).toBe('prewarmed')
    await settled()
    expect(factory.created).toHaveLength(1)
    await clock.advance(250)
    expect(factory.created).toHaveLength(2)
    expect(factory.assigned).toEqual(['ns/a'])
  })

  it('takes no stem cell for an action that needs to reach more than the cell does', async () => {
    const stemCells = [{ kind: 'nodejs:20', memoryMb: 256, count: 1 }]
    const { pool, factory } = setUp({ stemCells, egress: 'none' })
    pool.start()
    await settled()
    expect((await pool.acquire(action('feed', { needsApi: true }))).start).toBe('cold')
    expect((await pool.acquire(action('a'))).start).toBe('prewarmed')
    expect(factory.created.map(({ egress }) => egress)).toEqual(['none', 'platform'])
    const open = setUp({ stemCells, egress: 'open' })
    open.pool.start()
    await settled()
    expect((await open.pool.acquire(action('feed', { needsApi: true }))).start).toBe('prewarmed')
  })

  it('pauses an idle container after the grace time, resumes it for a run, removes it after long idleness', async () => {
    const { pool, factory, clock } = setUp()
    pool.start()
    const lease = await used(pool, 'a')
    await clock.advance(11_500)
    expect(factory.suspended).toEqual([lease.pooled.container.name])
    const again = await pool.acquire(action('a'))
    expect(again.pooled).toBe(lease.pooled)
    expect(factory.resumed).toEqual([lease.pooled.container.name])
    again.release('keep')
    await clock.advance(601_500)
    expect(factory.destroyed).toEqual([lease.pooled.container.name])
  })

  it('forgets a container that went by itself', async () => {
    const { pool, factory } = setUp()
    await used(pool, 'a')
    factory.containers[0]?.exit({ code: 1, oom: false })
    await settled()
    expect((await pool.acquire(action('a'))).start).toBe('cold')
  })

  it('fails the run whose container cannot be started, and no other', async () => {
    const { pool, factory } = setUp()
    factory.failNext = new Error('no such image')
    await expect(Promise.resolve(pool.acquire(action('a')))).rejects.toThrow('no such image')
    expect((await pool.acquire(action('a'))).start).toBe('cold')
    expect(pool.stats().memoryMb).toBe(256)
  })

  it('refuses and destroys everything at its end', async () => {
    const { pool, factory } = setUp({ userMemoryMb: 256 })
    await pool.acquire(action('a'))
    const waiting = expect(Promise.resolve(pool.acquire(action('a')))).rejects.toMatchObject({ code: 'SLUICE_CLOSED' })
    await pool.close()
    await waiting
    expect(factory.destroyed).toHaveLength(1)
    expect(() => pool.acquire(action('a'))).toThrow('shutting down')
  })
})

async function used(pool: ContainerPool, key: string): Promise<Lease> {
  const lease = await pool.acquire(action(key))
  lease.initialised()
  lease.release('keep')
  return lease
}

function action(key: string, more?: Partial<ActionSpec>): ActionSpec {
  return {
    key,
    namespace: 'ns',
    namespaceUuid: 'u',
    name: key,
    kind: 'nodejs:20',
    image: 'x',
    userImage: false,
    memoryMb: 256,
    concurrency: 1,
    ...more,
  }
}

function setUp(more?: Partial<PoolOptions>): { pool: ContainerPool; factory: FakeFactory; clock: ManualClock } {
  const clock = manualClock()
  const factory = new FakeFactory()
  const pool = createContainerPool({
    factory,
    clock,
    log: silent,
    instance: 0,
    labels: {},
    egress: 'platform',
    userMemoryMb: 2048,
    pauseGraceMs: 10_000,
    idleContainerMs: 600_000,
    stemCells: [],
    environment: () => ({}),
    imageOf: () => 'image',
    ...more,
  })
  onTestFinished(() => pool.close())
  return { pool, factory, clock }
}

const silent: Logger = {
  error: () => undefined,
  warn: () => undefined,
  info: () => undefined,
  debug: () => undefined,
  child: () => silent,
}

type FakeContainer = Container & { exit(exit: ContainerExit): void }

/** Containers that exist by name only: the pool never speaks to them. */
class FakeFactory implements ContainerFactory {
  readonly capabilities = { pause: true, isolation: 'process' } as const
  readonly created: ContainerSpec[] = []
  readonly containers: FakeContainer[] = []
  readonly destroyed: string[] = []
  readonly destroying: string[] = []
  readonly suspended: string[] = []
  readonly resumed: string[] = []
  readonly assigned: string[] = []
  failNext: Error | undefined
  holdDestroy = false
  /** What every start waits for before it begins. */
  before: Promise<void> = Promise.resolve()
  #held: (() => void)[] = []

  supports(): boolean {
    return true
  }

  async create(spec: ContainerSpec, _signal: AbortSignal, begins?: () => void): Promise<Container> {
    const failure = this.failNext
    this.failNext = undefined
    if (failure) throw failure
    this.created.push(spec)
    await this.before
    begins?.()
    const { promise, resolve } = withResolvers<ContainerExit>()
    const container: FakeContainer = {
      id: spec.name,
      name: spec.name,
      labels: spec.labels,
      endpoint: { socketPath: '/nowhere' },
      exited: promise,
      exit: resolve,
      logs: { read: () => Promise.resolve({ lines: [], complete: true, truncated: false }) },
      assign: (namespace, name) => {
        this.assigned.push(`${namespace}/${name}`)
        return Promise.resolve()
      },
      suspend: () => {
        this.suspended.push(spec.name)
        return Promise.resolve()
      },
      resume: () => {
        this.resumed.push(spec.name)
        return Promise.resolve()
      },
      destroy: async () => {
        this.destroying.push(spec.name)
        if (this.holdDestroy) await new Promise<void>(done => this.#held.push(done))
        this.destroyed.push(spec.name)
        resolve({ code: null, oom: false })
      },
    }
    this.containers.push(container)
    return container
  }

  finishDestroys(): void {
    this.holdDestroy = false
    for (const done of this.#held.splice(0)) done()
  }

  list(): Promise<Container[]> {
    return Promise.resolve(this.containers)
  }

  cleanup(): Promise<number> {
    return Promise.resolve(0)
  }

  close(): Promise<void> {
    return Promise.resolve()
  }
}

function withResolvers<T>(): { promise: Promise<T>; resolve: (value: T) => void } {
  let resolve: (value: T) => void = () => undefined
  const promise = new Promise<T>(done => (resolve = done))
  return { promise, resolve }
}
