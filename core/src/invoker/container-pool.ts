import { LRUCache } from 'lru-cache'
import { bounds, SluiceError } from '../model/index.ts'
import type { Clock, Container, ContainerFactory, Logger } from '../spi/index.ts'
import { createContainerClient } from './container-client.ts'
import { spareCapacity, type ActionSpec, type PooledContainer } from './pooled-container.ts'
import { createStemCells, type StemCell } from './stem-cells.ts'
import { createWaitingCounts } from './waiting-counts.ts'
import { servedWithin } from './wait-estimate.ts'

/**
 * Places runs on containers: warm, stem cell, new, or after eviction (platform.md §8). Every container counts its memory
 * until it is really gone, so the pool never holds more than `userMemoryMb`.
 */
export type ContainerPool = {
  /** A place for one run: at once when a warm container is free, else as soon as there is one. Rejects with
   *  SLUICE_OVERLOADED when the queue is full, SLUICE_CONTAINER_START when a container could not be started,
   *  SLUICE_CLOSED at the end. */
  acquire(spec: ActionSpec): Lease | Promise<Lease>
  /** Runs waiting for a place. */
  queued(): number
  /** True when no more runs of this namespace (by its uuid) may wait. */
  full(namespaceUuid: string): boolean
  /** True when a run of this action is expected to wait longer than that for a place. Without any experience of the
   *  action the answer is no. */
  waitsLonger(spec: ActionSpec, ms: number): boolean
  stats(): PoolStats
  start(): void
  close(): Promise<void>
}

export type Lease = {
  readonly pooled: PooledContainer
  readonly start: StartKind
  /** The run that found the container uninitialised tells that `/init` is through: others may enter. */
  initialised(): void
  /** `destroy` after a developer or platform error; runs still in there may finish, new ones do not enter. */
  release(fate: 'keep' | 'destroy'): void
}

export type StartKind = 'warm' | 'prewarmed' | 'cold'
export type PoolStats = {
  memoryMb: number
  containers: number
  busy: number
  idle: number
  prewarmed: number
  suspended: number
  queued: number
}

export type PoolOptions = {
  factory: ContainerFactory
  clock: Clock
  log: Logger
  /** Number of this invoker; part of every container's name. */
  instance: number
  labels: Readonly<Record<string, string>>
  userMemoryMb: number
  pauseGraceMs: number
  idleContainerMs: number
  stemCells: readonly StemCell[]
  /** The environment of every container (runtimes.md §1.1). */
  environment: (spec: { concurrency: number }) => Readonly<Record<string, string>>
  imageOf: (kind: string) => string
}

type Job = {
  readonly spec: ActionSpec
  readonly sinceMs: number
  settle: (lease: Lease) => void
  fail: (error: Error) => void
}

/** Everything of one key: its containers and the runs that wait for one. */
type Group = {
  readonly spec: ActionSpec
  readonly containers: Set<PooledContainer>
  readonly jobs: Job[]
  starting: number
  /** The runs that hold a place. */
  readonly running: Set<{ sinceMs: number }>
  /** Smoothed time that a run holds its place, `/init` left out; unknown until the first one has ended. */
  runMs: number | undefined
  /** Its place in the line of those that want a container: counted up when it comes, gets one, or gives one up. */
  turn: number
  /** Set while the queue is to be looked at again, should its head wait for long. */
  look: { cancel(): void } | undefined
}

/** A group of another action that waits this many cold starts makes a busy group give up a container. */
const yieldAfterColdStarts = 2
const sweepMs = 1000

export function createContainerPool(options: PoolOptions): ContainerPool {
  const { factory, clock, log } = options
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
  let counter = 0
  let turns = 0
  let coldStartMs: number = bounds.invoker.coldStartEstimateMs
  let closed = false
  let sweeper: { cancel(): void } | undefined
  const closing = new AbortController()
  const stemCells = createStemCells(options.stemCells)

  function acquire(spec: ActionSpec): Lease | Promise<Lease> {
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
      group.jobs.push({ spec, sinceMs: clock.monotonicMs(), settle, fail })
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
        jobs: [],
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

  /** The most recently used container with room: the others cool down and can be paused. */
  function freeContainer(group: Group): PooledContainer | undefined {
    let best: PooledContainer | undefined
    for (const pooled of group.containers) {
      if (spareCapacity(pooled) === 0) continue
      if (
        !best ||
        (best.state === 'suspended' && pooled.state === 'ready') ||
        (best.state === pooled.state && pooled.lastUsedMs > best.lastUsedMs)
      )
        best = pooled
    }
    return best
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
    const head = jobs[0]
    if (!head || containers.size === 0 || runMs === undefined) return false
    const expectedMs = (runMs * jobs.length) / (containers.size * spec.concurrency)
    const waitedMs = clock.monotonicMs() - head.sinceMs
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

  /** Runs that containers on their way will take: new ones, and what one in its `/init` or waking up has room for. */
  function promised({ spec, starting, containers }: Group): number {
    let places = starting * spec.concurrency
    if (spec.concurrency === 1) return places
    for (const { state, initialised, active } of containers) {
      if (state === 'initialising') places += spec.concurrency - active
      else if (state === 'resuming' && initialised) places += spec.concurrency - 1
    }
    return places
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
        pooled.initialised = true
        run.sinceMs = clock.monotonicMs()
        if (start === 'cold') coldStartMs += (clock.monotonicMs() - pooled.startedMs - coldStartMs) / 8
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
        if (wanting.size > 0) serveWanting()
      },
    }
  }

  function learn(group: Group, ms: number): void {
    group.runMs = group.runMs === undefined ? ms : group.runMs + (ms - group.runMs) / 8
    experience.set(group.spec.key, group.runMs)
  }

  /** Another action has waited for a place for long, or would before the next one is free, and holds less than this one:
   *  this container is the way to give it one. */
  function mustYield(group: Group, pooled: PooledContainer): boolean {
    if (wanting.size === 0 || pooled.active > 0) return false
    const patience = yieldAfterColdStarts * coldStartMs
    const now = clock.monotonicMs()
    for (const other of wanting) {
      const head = other.jobs[0]
      if (other === group || !head || !holdsLess(other, group)) continue
      const waitMs = now - head.sinceMs + (group.runMs ?? 0)
      if (waitMs > patience && missingMb(other.spec) > 0 && group.jobs.length > 0) return true
    }
    return false
  }

  /** Between namespaces memory counts, within one the number of containers. */
  function holdsLess(other: Group, group: Group): boolean {
    if (other.spec.namespaceUuid === group.spec.namespaceUuid) return other.containers.size <= group.containers.size
    const mb = memoryOfNamespaces()
    return (mb.get(other.spec.namespaceUuid) ?? 0) + other.spec.memoryMb <= (mb.get(group.spec.namespaceUuid) ?? 0)
  }

  /** Memory of containers that are there or starting, by namespace. */
  function memoryOfNamespaces(): Map<string, number> {
    const mb = new Map<string, number>()
    for (const group of groups.values()) {
      const { namespaceUuid, memoryMb } = group.spec
      mb.set(namespaceUuid, (mb.get(namespaceUuid) ?? 0) + held(group) * memoryMb)
    }
    return mb
  }

  /** The namespaces that hold the least first; of one, the actions with the fewest containers; then those that got one
   *  the longest ago, so that nobody starves (reliability.md §6.4.5). */
  function serveWanting(): void {
    if (wanting.size === 0) return
    const mb = memoryOfNamespaces()
    const ofNamespace = ({ spec }: Group): number => mb.get(spec.namespaceUuid) ?? 0
    const inTurn = [...wanting].sort((a, b) => ofNamespace(a) - ofNamespace(b) || held(a) - held(b) || a.turn - b.turn)
    for (const group of inTurn) serve(group)
  }

  function held(group: Group): number {
    return group.containers.size + group.starting
  }

  /** Begins one more container for the group, if memory allows now or after eviction. */
  function grow(group: Group): boolean {
    if (closed || startingCount >= bounds.invoker.createConcurrencyMax) return false
    const cell = stemCell(group.spec)
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

  function stemCell(spec: ActionSpec): PooledContainer | undefined {
    for (const pooled of all) {
      if (!pooled.spec && pooled.state === 'ready' && pooled.kind === spec.kind && pooled.memoryMb === spec.memoryMb)
        return pooled
    }
    return undefined
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
    clock.setTimer(bounds.invoker.backfillDelayMs, backfill, { unref: true })
  }

  async function startFor(group: Group): Promise<void> {
    const { spec } = group
    group.starting++
    try {
      const pooled = await create(spec.kind, spec.image, spec.memoryMb, spec)
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

  async function create(
    kind: string,
    image: string,
    mb: number,
    spec: ActionSpec | undefined,
  ): Promise<PooledContainer> {
    memoryMb += mb
    startingCount++
    const startedMs = clock.monotonicMs()
    try {
      const name = `wsk${options.instance}_${++counter}_${sane(spec?.namespace ?? 'prewarm')}_${sane(spec?.name ?? kind)}`
      const container = await factory.create(
        {
          name,
          kind,
          image,
          userImage: spec?.userImage ?? false,
          ...(spec ? { namespace: spec.namespace } : {}),
          labels: options.labels,
          env: options.environment({ concurrency: spec?.concurrency ?? 1 }),
          memoryMb: mb,
          cpuShares: Math.max(Math.floor(1024 / (options.userMemoryMb / mb)), 2),
          egress: 'platform',
        },
        AbortSignal.any([closing.signal, AbortSignal.timeout(bounds.invoker.createTimeoutMs)]),
      )
      if (closed) {
        await container.destroy()
        throw new SluiceError('SLUICE_CLOSED', 'The invoker is shutting down.')
      }
      return enter(container, kind, mb, spec, startedMs)
    } catch (error) {
      memoryMb -= mb
      throw error
    } finally {
      startingCount--
    }
  }

  function enter(
    container: Container,
    kind: string,
    mb: number,
    spec: ActionSpec | undefined,
    startedMs: number,
  ): PooledContainer {
    const client = createContainerClient(container, clock, bounds.invoker.initRetryMs, spec?.concurrency ?? 1)
    const pooled: PooledContainer = {
      container,
      client,
      kind,
      memoryMb: mb,
      state: 'ready',
      initialised: false,
      active: 0,
      lastUsedMs: clock.monotonicMs(),
      startedMs,
    }
    all.add(pooled)
    void container.exited.then(() => exited(pooled))
    return pooled
  }

  /** A container that went by itself: a run in it notices by its broken connection. */
  function exited(pooled: PooledContainer): void {
    if (!all.has(pooled) || pooled.state === 'leaving') return
    const group = pooled.spec && groups.get(pooled.spec.key)
    if (group) retire(group, pooled)
    else pooled.state = 'leaving'
    if (pooled.active === 0) void remove(pooled)
  }

  function retire(group: Group, pooled: PooledContainer): void {
    pooled.state = 'leaving'
    group.containers.delete(pooled)
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
    backfill()
  }

  /** Removes idle containers, least recently used first, stem cells last, if that gives the group its place. */
  function evictFor(group: Group): void {
    let need = missingMb(group.spec) - leavingMb
    if (need <= 0 || waitsForWarm(group)) return
    const idle = [...all].filter(
      pooled => pooled.active === 0 && (pooled.state === 'ready' || pooled.state === 'suspended'),
    )
    idle.sort((a, b) => Number(a.spec === undefined) - Number(b.spec === undefined) || a.lastUsedMs - b.lastUsedMs)
    const chosen: PooledContainer[] = []
    for (const pooled of idle) {
      if (need <= 0) break
      if (pooled.spec?.key === group.spec.key) continue
      chosen.push(pooled)
      need -= pooled.memoryMb
    }
    if (need > 0) return
    for (const pooled of chosen) {
      const owner = pooled.spec && groups.get(pooled.spec.key)
      if (owner) {
        retire(owner, pooled)
        dropIfEmpty(owner)
      } else pooled.state = 'leaving'
      void remove(pooled)
    }
  }

  /** An equal container is busy and will be free before a new one could start (platform.md §8.3): wait, but not for long. */
  function waitsForWarm(group: Group): boolean {
    const head = group.jobs[0]
    if (group.containers.size === 0 || !head) return false
    const now = clock.monotonicMs()
    let runMs = group.runMs ?? 0
    for (const { sinceMs } of group.running) runMs = Math.max(runMs, now - sinceMs)
    const expectedMs = (runMs * group.jobs.length) / group.containers.size
    return expectedMs < coldStartMs && now - head.sinceMs < bounds.invoker.warmWaitMsMax
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

  /** Freezes what has been idle for the grace time and removes what has been idle for long. */
  function sweep(): void {
    const now = clock.monotonicMs()
    for (const pooled of all) {
      const idleMs = now - pooled.lastUsedMs
      if (pooled.active > 0 || !pooled.spec) continue
      if (idleMs >= options.idleContainerMs && (pooled.state === 'ready' || pooled.state === 'suspended')) {
        const group = groups.get(pooled.spec.key)
        if (group) {
          retire(group, pooled)
          dropIfEmpty(group)
        }
        void remove(pooled)
      } else if (idleMs >= options.pauseGraceMs && pooled.state === 'ready' && factory.capabilities.pause)
        void suspend(pooled)
    }
    if (wanting.size > 0) serveWanting()
    sweeper = clock.setTimer(sweepMs, sweep, { unref: true })
  }

  async function suspend(pooled: PooledContainer): Promise<void> {
    pooled.state = 'suspending'
    try {
      await pooled.container.suspend()
      if (pooled.state === 'suspending') pooled.state = 'suspended'
    } catch (error) {
      log.warn({ err: error, container: pooled.container.name }, 'container could not be suspended')
      if (pooled.state === 'suspending') pooled.state = 'ready'
    }
    const group = pooled.spec && groups.get(pooled.spec.key)
    if (group && group.jobs.length > 0) serve(group)
  }

  /** Keeps the configured stem cells, in the background, as long as memory is not short. */
  function backfill(): void {
    if (closed || wanting.size > 0) return
    const present = [...all].filter(pooled => !pooled.spec && pooled.state !== 'leaving')
    for (const cell of stemCells.missing(present)) {
      if (!factory.supports(cell.kind) || memoryMb + cell.memoryMb > options.userMemoryMb) continue
      stemCells.begin(cell)
      create(cell.kind, options.imageOf(cell.kind), cell.memoryMb, undefined)
        .then(
          () => serveWanting(),
          (error: unknown) => log.warn({ err: error, kind: cell.kind }, 'stem cell could not be started'),
        )
        .finally(() => stemCells.end(cell))
    }
  }

  function waitsLonger(spec: ActionSpec, ms: number): boolean {
    const group = groups.get(spec.key)
    const ahead = group?.jobs.length ?? 0
    if (group && ahead === 0 && freeContainer(group)) return false
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
      backfill()
      sweeper = clock.setTimer(sweepMs, sweep, { unref: true })
    },
    async close() {
      closed = true
      sweeper?.cancel()
      closing.abort(new SluiceError('SLUICE_CLOSED', 'The invoker is shutting down.'))
      for (const group of groups.values()) {
        for (const job of group.jobs.splice(0))
          job.fail(new SluiceError('SLUICE_CLOSED', 'The invoker is shutting down.'))
      }
      queued.clear()
      await Promise.all([...all].map(remove))
    },
  }
}

/** Letters, digits and underscore only: the name goes to drivers (platform.md §9). */
function sane(text: string): string {
  return text.replace(/[^A-Za-z0-9_]/g, '').slice(0, 64)
}
