import { LRUCache } from 'lru-cache'
import { bounds, SluiceError } from '../model/index.ts'
import { createContainerStarter, type Start, type StarterOptions } from './container-starter.ts'
import { createFreezer, type FreezerOptions } from './freezer.ts'
import { evictable } from './eviction.ts'
import { JobQueue, type Job } from './job-queue.ts'
import { freeContainer, held, holdsLess, inTurn, promised, type Group } from './pool-group.ts'
import type { ActionSpec, Lease, PooledContainer, StartKind } from './pooled-container.ts'
import { createStemCellKeeper, type StemCellOptions } from './stem-cells.ts'
import { createWaitingCounts } from './waiting-counts.ts'
import { servedWithin } from './wait-estimate.ts'

/**
 * Places runs on containers: warm, stem cell, new, or after eviction (platform.md §8). Every container counts its memory
 * until it is really gone, so the pool never holds more than `userMemoryMb`.
 */
export type ContainerPool = {
  /** A place for one run: at once when a warm container is free, else as soon as there is one; `awaited` when a caller
   *  waits for the answer (`JobQueue`). Rejects with
   *  SLUICE_OVERLOADED when the queue is full, SLUICE_CONTAINER_START when a container could not be started,
   *  SLUICE_CLOSED at the end. */
  acquire(spec: ActionSpec, awaited?: boolean): Lease | Promise<Lease>
  /** Runs waiting for a place. */
  queued(): number
  /** True when no more runs of this namespace (by its uuid) may wait. */
  full(namespaceUuid: string): boolean
  /** True when a run of this action that a caller waits for is expected to wait longer than that for a place. Without any
   *  experience of the action the answer is no. */
  waitsLonger(spec: ActionSpec, ms: number): boolean
  stats(): PoolStats
  start(): void
  /** Rejects what no caller waits for and has no place yet, with SLUICE_CLOSED: the bus keeps it. */
  turnBack(): void
  close(): Promise<void>
}

export type { Lease, StartKind } from './pooled-container.ts'

export type PoolStats = {
  memoryMb: number
  containers: number
  busy: number
  idle: number
  prewarmed: number
  suspended: number
  queued: number
}

export type PoolOptions = StarterOptions & FreezerOptions & StemCellOptions

/** A group of another action that waits this many cold starts makes a busy group give up a container. */
const yieldAfterColdStarts = 2

export function createContainerPool(options: PoolOptions): ContainerPool {
  const { clock, log } = options
  const groups = new Map<string, Group>()
  const all = new Set<PooledContainer>()
  /** Groups with runs that no container, present or starting, will take soon. */
  const wanting = new Set<Group>()
  let memoryMb = 0
  let leavingMb = 0
  let startingCount = 0
  const queued = createWaitingCounts(bounds.invoker.queueMax)
  /** How long runs of an action took, for when its containers are gone. */
  const experience = new LRUCache<string, number>({ max: bounds.invoker.experienceMax })
  let turns = 0
  let coldStartMs: number = bounds.invoker.coldStartEstimateMs
  let closed = false
  const closing = new AbortController()
  const stemCells = createStemCellKeeper(options, {
    containers: () => all,
    spareMb: () => (closed || wanting.size > 0 ? 0 : options.userMemoryMb - memoryMb),
    create: start => create(start).then(serveWanting),
  })
  const startContainer = createContainerStarter(options)
  const freezer = createFreezer(options, {
    containers: () => all,
    discard(pooled) {
      dismiss(pooled)
      void remove(pooled)
    },
    back(pooled) {
      const group = groupOfContainer(pooled)
      if (group && group.jobs.length > 0) serve(group)
    },
    swept: serveWanting,
  })

  function acquire(spec: ActionSpec, awaited = false): Lease | Promise<Lease> {
    if (closed) throw new SluiceError('SLUICE_CLOSED', 'The invoker is shutting down.')
    if (spec.memoryMb > options.userMemoryMb) {
      const text = `The action needs ${spec.memoryMb} MB, and all containers together have ${options.userMemoryMb} MB.`
      throw new SluiceError('SLUICE_CONTAINER_START', text)
    }
    const group = groupOf(spec)
    if (group.jobs.length === 0) {
      const pooled = freeContainer(group)
      if (pooled && pooled.state === 'ready') return lease(group, pooled, 'warm')
    }
    if (queued.full(spec.namespaceUuid)) {
      throw new SluiceError('SLUICE_OVERLOADED', 'Too many activations wait for a container; try again later.')
    }
    return new Promise((settle, fail) => {
      group.jobs.push({ awaited, sinceMs: clock.monotonicMs(), settle, fail })
      queued.enter(spec.namespaceUuid)
      serve(group)
    })
  }

  function groupOf(spec: ActionSpec): Group {
    let group = groups.get(spec.key)
    if (!group) {
      group = {
        spec,
        containers: new Set(),
        jobs: new JobQueue(),
        starting: 0,
        running: new Set(),
        runMs: experience.get(spec.key),
        turn: ++turns,
        look: undefined,
      }
      groups.set(spec.key, group)
    }
    return group
  }

  /** Gives waiting runs of the group what is free, then sees to more containers. */
  function serve(group: Group): void {
    while (group.jobs.length > 0) {
      const pooled = freeContainer(group)
      if (!pooled) break
      if (pooled.state === 'suspended') resume(group, pooled)
      else take(group, pooled, 'warm')
    }
    const short = () => group.jobs.length > promised(group) && !soonServed(group)
    while (short() && grow(group));
    if (short()) wanting.add(group)
    else wanting.delete(group)
    dropIfEmpty(group)
  }

  /**
   * The containers that are there get through the queue sooner than a new one would help: more of them would share the
   * same processors, each colder than before. Looked at again when the head of the queue has waited for so long.
   */
  function soonServed(group: Group): boolean {
    const { containers, jobs, runMs, spec } = group
    if (jobs.oldestMs === undefined || containers.size === 0 || runMs === undefined) return false
    const expectedMs = (runMs * jobs.length) / (containers.size * spec.concurrency)
    const waitedMs = clock.monotonicMs() - jobs.oldestMs
    if (expectedMs >= bounds.invoker.growAfterMs || waitedMs >= bounds.invoker.growAfterMs) return false
    group.look ??= clock.setTimer(
      bounds.invoker.growAfterMs,
      () => {
        group.look = undefined
        if (group.jobs.length > 0) serve(group)
      },
      { unref: true },
    )
    return true
  }

  function take(group: Group, pooled: PooledContainer, start: StartKind): void {
    const job = group.jobs.shift()
    if (!job) return
    queued.leave(group.spec.namespaceUuid)
    job.settle(lease(group, pooled, start))
  }

  function lease(group: Group, pooled: PooledContainer, start: StartKind): Lease {
    pooled.active++
    if (!pooled.initialised) pooled.state = 'initialising'
    const run = { sinceMs: clock.monotonicMs() }
    group.running.add(run)
    let open = true
    return {
      pooled,
      start,
      initialised() {
        const now = clock.monotonicMs()
        pooled.initialised = true
        pooled.servesSinceMs = now
        run.sinceMs = now
        if (start === 'cold') coldStartMs += (now - pooled.startedMs - coldStartMs) / 8
        if (pooled.state === 'initialising') pooled.state = 'ready'
        if (group.spec.concurrency > 1) serve(group)
      },
      release(fate) {
        if (!open) return
        open = false
        pooled.active--
        const now = clock.monotonicMs()
        pooled.lastUsedMs = now
        group.running.delete(run)
        // What failed before it ran says nothing of how long runs take.
        if (pooled.initialised) learn(group, now - run.sinceMs)
        if (fate === 'destroy') retire(group, pooled)
        if (pooled.state === 'leaving') {
          if (pooled.active === 0) void remove(pooled)
        } else if (mustYield(group, pooled)) {
          group.turn = ++turns
          retire(group, pooled)
          void remove(pooled)
        }
        if (group.jobs.length > 0) serve(group)
        else dropIfEmpty(group)
        serveWanting()
      },
    }
  }

  function learn(group: Group, ms: number): void {
    group.runMs = group.runMs === undefined ? ms : group.runMs + (ms - group.runMs) / 8
    experience.set(group.spec.key, group.runMs)
  }

  /** Another action has waited for a place for long, or would before the next one is free, and holds less than this one:
   *  this container is the way to give it one. It serves its own queue first for as long as a start takes: a pool that
   *  changed hands after every run would do nothing but start containers. */
  function mustYield(group: Group, pooled: PooledContainer): boolean {
    if (wanting.size === 0 || pooled.active > 0) return false
    const patience = yieldAfterColdStarts * coldStartMs
    const now = clock.monotonicMs()
    if (now - (pooled.servesSinceMs ?? now) < coldStartMs) return false
    for (const other of wanting) {
      const { oldestMs } = other.jobs
      if (other === group || oldestMs === undefined || !holdsLess(other, group, groups.values())) continue
      const waitMs = now - oldestMs + (group.runMs ?? 0)
      if (waitMs > patience && missingMb(other.spec) > 0 && group.jobs.length > 0) return true
    }
    return false
  }

  function serveWanting(): void {
    if (wanting.size === 0) return
    for (const group of inTurn(wanting, groups.values())) serve(group)
  }

  /** Begins one more container for the group, if memory allows now or after eviction. */
  function grow(group: Group): boolean {
    if (closed || startingCount >= bounds.invoker.createConcurrencyMax) return false
    const cell = stemCells.matching(group.spec)
    if (cell) {
      group.turn = ++turns
      adopt(group, cell)
      return true
    }
    if (missingMb(group.spec) > 0) {
      evictFor(group)
      return false
    }
    group.turn = ++turns
    void startFor(group)
    return true
  }

  /** Memory that must still become free, counting what is on its way out. */
  function missingMb(spec: ActionSpec): number {
    return memoryMb + spec.memoryMb - options.userMemoryMb
  }

  function adopt(group: Group, pooled: PooledContainer): void {
    pooled.spec = group.spec
    pooled.state = 'resuming'
    group.containers.add(pooled)
    group.starting++
    pooled.container.assign(group.spec.namespace, group.spec.name).then(
      () => arrived(group, pooled, 'prewarmed'),
      (error: unknown) => {
        group.starting--
        retire(group, pooled)
        void remove(pooled)
        startFailed(group, error)
      },
    )
    // The replacement's start would take the processor from the run that is just beginning.
    clock.setTimer(bounds.invoker.backfillDelayMs, stemCells.fill, { unref: true })
  }

  async function startFor(group: Group): Promise<void> {
    const { spec } = group
    group.starting++
    try {
      const pooled = await create({ kind: spec.kind, image: spec.image, memoryMb: spec.memoryMb, spec })
      pooled.spec = spec
      group.containers.add(pooled)
      arrived(group, pooled, 'cold')
    } catch (error) {
      group.starting--
      startFailed(group, error)
    }
  }

  function arrived(group: Group, pooled: PooledContainer, start: StartKind): void {
    group.starting--
    pooled.state = 'ready'
    if (group.jobs.length > 0) take(group, pooled, start)
    serve(group)
  }

  function startFailed(group: Group, error: unknown): void {
    const job = group.jobs.shift()
    if (job) {
      queued.leave(group.spec.namespaceUuid)
      job.fail(error instanceof Error ? error : new Error(String(error)))
    }
    serve(group)
  }

  async function create(start: Start): Promise<PooledContainer> {
    memoryMb += start.memoryMb
    startingCount++
    try {
      const pooled = await startContainer(start, closing.signal)
      if (closed) {
        await pooled.container.destroy()
        throw new SluiceError('SLUICE_CLOSED', 'The invoker is shutting down.')
      }
      all.add(pooled)
      void pooled.container.exited.then(() => exited(pooled))
      return pooled
    } catch (error) {
      memoryMb -= start.memoryMb
      throw error
    } finally {
      startingCount--
    }
  }

  /** A container that went by itself: a run in it notices by its broken connection. */
  function exited(pooled: PooledContainer): void {
    if (!all.has(pooled) || pooled.state === 'leaving') return
    const group = groupOfContainer(pooled)
    if (group) retire(group, pooled)
    else pooled.state = 'leaving'
    if (pooled.active === 0) void remove(pooled)
  }

  function groupOfContainer({ spec }: PooledContainer): Group | undefined {
    return spec && groups.get(spec.key)
  }

  function retire(group: Group, pooled: PooledContainer): void {
    pooled.state = 'leaving'
    group.containers.delete(pooled)
  }

  /** Takes an idle container out of use. */
  function dismiss(pooled: PooledContainer): void {
    const group = groupOfContainer(pooled)
    if (group) {
      retire(group, pooled)
      dropIfEmpty(group)
    } else pooled.state = 'leaving'
  }

  /** Destroys it; its memory is free only when it is gone. */
  async function remove(pooled: PooledContainer): Promise<void> {
    if (!all.delete(pooled)) return
    leavingMb += pooled.memoryMb
    pooled.client.close()
    try {
      await pooled.container.destroy()
    } catch (error) {
      log.error({ err: error, container: pooled.container.name }, 'container could not be destroyed')
    }
    leavingMb -= pooled.memoryMb
    memoryMb -= pooled.memoryMb
    if (closed) return
    serveWanting()
    stemCells.fill()
  }

  /** Removes idle containers, least recently used first, stem cells last, if that gives the group its place. */
  function evictFor(group: Group): void {
    const need = missingMb(group.spec) - leavingMb
    if (need <= 0 || waitsForWarm(group)) return
    const chosen = evictable(all, group.spec.key, need)
    for (const pooled of chosen) {
      dismiss(pooled)
      void remove(pooled)
    }
  }

  /** An equal container is busy and will be free before a new one could start (platform.md §8.3): wait, but not for long. */
  function waitsForWarm(group: Group): boolean {
    const { oldestMs } = group.jobs
    if (group.containers.size === 0 || oldestMs === undefined) return false
    const now = clock.monotonicMs()
    let runMs = group.runMs ?? 0
    for (const { sinceMs } of group.running) runMs = Math.max(runMs, now - sinceMs)
    const expectedMs = (runMs * group.jobs.length) / group.containers.size
    return expectedMs < coldStartMs && now - oldestMs < bounds.invoker.warmWaitMsMax
  }

  function resume(group: Group, pooled: PooledContainer): void {
    const job = group.jobs.shift()
    if (!job) return
    pooled.state = 'resuming'
    pooled.container.resume().then(
      () => {
        queued.leave(group.spec.namespaceUuid)
        pooled.state = 'ready'
        job.settle(lease(group, pooled, 'warm'))
        if (group.jobs.length > 0) serve(group)
      },
      (error: unknown) => {
        log.warn({ err: error, container: pooled.container.name }, 'container could not be resumed')
        group.jobs.unshift(job)
        retire(group, pooled)
        void remove(pooled)
        serve(group)
      },
    )
  }

  function waitsLonger(spec: ActionSpec, ms: number): boolean {
    const group = groups.get(spec.key)
    const ahead = group?.jobs.aheadOfCaller() ?? 0
    if (group?.jobs.length === 0 && freeContainer(group)) return false
    const now = clock.monotonicMs()
    const agesMs = group ? [...group.running].map(({ sinceMs }) => now - sinceMs) : []
    const runMs = group?.runMs ?? experience.get(spec.key)
    const containers = (group ? held(group) : 0) + room(spec)
    const idle = containers * spec.concurrency - agesMs.length
    return servedWithin(ms, { runMs, agesMs, idle, readyMs: coldStartMs }) <= ahead
  }

  /** Containers of the action that free memory and idle containers of others make possible. */
  function room(spec: ActionSpec): number {
    let mb = options.userMemoryMb - memoryMb + leavingMb
    for (const pooled of all) if (pooled.active === 0 && pooled.spec?.key !== spec.key) mb += pooled.memoryMb
    return Math.max(0, Math.floor(mb / spec.memoryMb))
  }

  function refuse(jobs: readonly Job[], { namespaceUuid }: ActionSpec): void {
    for (const job of jobs) {
      queued.leave(namespaceUuid)
      job.fail(new SluiceError('SLUICE_CLOSED', 'The invoker is shutting down.'))
    }
  }

  function dropIfEmpty(group: Group): void {
    if (group.containers.size === 0 && group.jobs.length === 0 && group.starting === 0) groups.delete(group.spec.key)
  }

  return {
    acquire,
    queued: queued.total,
    full: queued.full,
    waitsLonger,
    stats() {
      const list = [...all]
      return {
        memoryMb,
        containers: list.length,
        busy: list.filter(pooled => pooled.active > 0).length,
        idle: list.filter(pooled => pooled.spec && pooled.active === 0).length,
        prewarmed: list.filter(pooled => !pooled.spec).length,
        suspended: list.filter(pooled => pooled.state === 'suspended').length,
        queued: queued.total(),
      }
    },
    start() {
      stemCells.fill()
      freezer.start()
    },
    turnBack() {
      for (const group of [...groups.values()]) {
        refuse(group.jobs.takeFromBus(), group.spec)
        wanting.delete(group)
        serve(group)
      }
    },
    async close() {
      closed = true
      freezer.stop()
      closing.abort(new SluiceError('SLUICE_CLOSED', 'The invoker is shutting down.'))
      for (const group of groups.values()) refuse(group.jobs.takeAll(), group.spec)
      await Promise.all([...all].map(remove))
    },
  }
}
