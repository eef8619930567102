import {
  bounds,
  failures,
  SluiceError,
  topics,
  type ActivationMessage,
  type ActivationRecord,
  type Claim,
} from '../model/index.ts'
import type {
  ActivationStore,
  ArtifactStore,
  AttachmentStore,
  Clock,
  ContainerFactory,
  Incoming,
  Invocation,
  KeyRing,
  Logger,
  MessageBus,
  Random,
  RecordTail,
  StateStore,
  Subscription,
} from '../spi/index.ts'
import { createActionSource, type ActionSource } from './action-source.ts'
import { createClaims } from './claims.ts'
import { createContainerPool, type PoolStats, type StartKind } from './container-pool.ts'
import { writeDeadLetter } from './dead-letters.ts'
import { actionSpec, runActivation, type RunDependencies, type RunResult } from './run.ts'
import { failed } from './run-outcome.ts'
import { unstartedRecord } from './run-record.ts'
import type { StemCell } from './stem-cells.ts'

/**
 * Runs activations and keeps one terminal record of each: durable claim -> `/run` -> record -> settle (design.md §3.3,
 * reliability.md §6.5). Work comes in by two doors: `run` for direct blocking invokes, topic `invoker<N>` for the rest.
 */
export type Invoker = {
  run(message: ActivationMessage): Invocation
  /** Settles what the last process left, then begins to take work from the bus. */
  start(): Promise<void>
  /** Takes no new work, lets what runs come to its end, destroys the containers. */
  stop(): Promise<void>
  stats(): PoolStats & { running: number }
}

export type InvokerOptions = {
  readonly instance: number
  readonly bus: MessageBus
  readonly artifacts: ArtifactStore
  readonly attachments: AttachmentStore
  readonly activations: ActivationStore
  readonly state: StateStore
  readonly factory: ContainerFactory
  readonly keyRing: KeyRing
  readonly clock: Clock
  readonly random: Random
  readonly log: Logger
  readonly tail: RecordTail
  readonly limits: { readonly resultBytesMax: number; readonly resultTruncationBytes: number }
  readonly pool: {
    readonly userMemoryMb: number
    readonly pauseGraceMs: number
    readonly idleContainerMs: number
    readonly stemCells: readonly StemCell[]
  }
  readonly labels: Readonly<Record<string, string>>
  readonly environment: (spec: { concurrency: number }) => Readonly<Record<string, string>>
  readonly imageOf: (kind: string) => string
  readonly observe?: InvokerObserver
}

/** Hears of what happens, for metrics. Must not throw. */
export type InvokerObserver = {
  started?(kind: StartKind): void
  settled?(record: ActivationRecord, message: ActivationMessage): void
  redelivered?(message: ActivationMessage): void
}

/** Attempts of one rule-fired run over crashes of the invoker, beyond those for platform failures. */
const crashAttemptsMax = 5

export function createInvoker(options: InvokerOptions): Invoker {
  const { activations, bus, clock, log, observe, state, tail } = options
  const pool = createContainerPool({
    ...options.pool,
    factory: options.factory,
    clock,
    log,
    instance: options.instance,
    labels: options.labels,
    environment: options.environment,
    imageOf: options.imageOf,
  })
  const claims = createClaims(bus, options.instance, clock, options.random)
  const actions = createActionSource(options.artifacts, options.attachments)
  const runDeps: RunDependencies = {
    pool,
    clock,
    keyRing: options.keyRing,
    limits: options.limits,
    imageOf: options.imageOf,
  }
  const running = new Set<Promise<unknown>>()
  /** Activations from the bus that are being worked on: the same one twice must not run twice. */
  const busIds = new Set<string>()
  let subscription: Subscription | undefined
  let stopping = false

  function track<T>(work: Promise<T>): Promise<T> {
    running.add(work)
    const done = (): void => void running.delete(work)
    work.then(done, done)
    return work
  }

  /** Makes the record durable, then tells everybody; only then the claim is settled. `fresh`: nobody else can have
   *  written a record of this id. */
  async function conclude(
    message: ActivationMessage,
    record: ActivationRecord,
    claimed: boolean,
    fresh = false,
  ): Promise<ActivationRecord> {
    const outcome = await activations.insert(record, { fresh })
    if (claimed) claims.settle(message.activationId)
    // The first record stands; whoever comes second says what the first one said (reliability.md P4).
    const standing =
      outcome === 'exists' ? ((await activations.get(record.namespace, record.activationId)) ?? record) : record
    if (outcome === 'inserted') {
      observe?.settled?.(record, message)
      tail.tell(record)
    }
    return standing
  }

  function run(message: ActivationMessage): Invocation {
    if (stopping) throw new SluiceError('SLUICE_CLOSED', 'The hub is shutting down.')
    if (pool.queued() >= bounds.invoker.queueMax)
      throw new SluiceError('SLUICE_OVERLOADED', 'Too many activations wait for a container; try again later.')
    const loaded = actions.load(message.action.id, message.action.revision)
    if (
      !(loaded instanceof Promise) &&
      pool.expectedWaitMs(actionSpec(message, loaded, options.imageOf)) > bounds.invoker.directWaitMsMax
    ) {
      throw new SluiceError('SLUICE_OVERLOADED', 'The activation would wait too long for a container; try again later.')
    }
    const accepted = claims.claim(message, 1)
    const outcome = track(runDirect(message, loaded, accepted))
    // Either may be left unheard: by a caller that stopped waiting, or that only waits for the outcome.
    accepted.catch(() => undefined)
    outcome.catch(() => undefined)
    return { accepted, outcome }
  }

  async function runDirect(
    message: ActivationMessage,
    loaded: ReturnType<ActionSource['load']>,
    claimed: Promise<void>,
  ): Promise<ActivationRecord> {
    const runnable = loaded instanceof Promise ? await loaded.catch(() => 'unfetched' as const) : loaded
    if (typeof runnable === 'string') {
      await claimed
      return conclude(message, unfetchedRecord(message, runnable, 1), true)
    }
    let result: RunResult
    try {
      result = await runActivation(runDeps, message, runnable, claimed, 1)
    } catch (error) {
      // Not run: either never accepted (the claim failed), or accepted and refused by a full or closing pool.
      await claimed
      log.warn({ err: error, activationId: message.activationId }, 'accepted activation could not be placed')
      return conclude(
        message,
        unstartedRecord(message, failed(3, failures.provision), clock.nowMs(), 1, { runnable }),
        true,
      )
    }
    if (result.start) observe?.started?.(result.start)
    return conclude(message, result.record, true, true)
  }

  function unfetchedRecord(
    message: ActivationMessage,
    why: 'gone' | 'unreadable' | 'unfetched',
    attempt: number,
  ): ActivationRecord {
    const response =
      why === 'gone'
        ? failed(1, failures.actionGone)
        : failed(3, why === 'unreadable' ? failures.actionVersion : failures.actionFetch)
    return unstartedRecord(message, response, clock.nowMs(), attempt)
  }

  /** A message of topic `invoker<N>`: done when its record is durable, so that a crash brings it again. */
  async function handle(incoming: Incoming): Promise<void> {
    const message = JSON.parse(
      Buffer.from(incoming.body.buffer, incoming.body.byteOffset, incoming.body.byteLength).toString(),
    ) as ActivationMessage
    if (incoming.redelivered) observe?.redelivered?.(message)
    // A fire that was sent again under its identity, or whose fan-out was interrupted, comes twice without being marked.
    if (incoming.redelivered || message.origin.kind === 'rule') {
      if (busIds.has(message.activationId)) return
      busIds.add(message.activationId)
      const earlier = await activations.get(message.user.namespace.name, message.activationId)
      if (earlier) {
        busIds.delete(message.activationId)
        if (claims.earlierAttempts(message.activationId) > 0) claims.settle(message.activationId)
        return
      }
    }
    try {
      await track(runFromBus(message))
    } finally {
      busIds.delete(message.activationId)
    }
  }

  async function runFromBus(message: ActivationMessage): Promise<void> {
    const rule = message.origin.kind === 'rule'
    const attemptsMax = rule ? bounds.invoker.attemptsMax : 1
    let attempt = claims.earlierAttempts(message.activationId)
    if (attempt >= crashAttemptsMax) return giveUp(message, attempt, 'the invoker stopped during every attempt')
    const since = clock.monotonicMs()
    for (let failures = 0; ;) {
      attempt++
      const result = await attemptOnce(message, attempt)
      if (!result.platformFailure) return
      failures++
      const elapsed = clock.monotonicMs() - since
      if (!rule) return void (await conclude(message, result.record, true))
      if (failures >= attemptsMax || elapsed > bounds.invoker.attemptElapsedMsMax)
        return giveUp(message, attempt, errorText(result.record))
      await clock.sleep(backoffMs(failures))
      if (stopping) throw new SluiceError('SLUICE_CLOSED', 'The invoker is shutting down.')
    }
  }

  /** Runs once and concludes, unless the platform failed: then the caller decides. */
  async function attemptOnce(message: ActivationMessage, attempt: number): Promise<RunResult> {
    const runnable = await Promise.resolve(actions.load(message.action.id, message.action.revision)).catch(
      () => 'unfetched' as const,
    )
    if (typeof runnable === 'string') {
      const record = unfetchedRecord(message, runnable, attempt)
      if (runnable === 'unfetched') return { record, platformFailure: true }
      await conclude(message, record, claims.earlierAttempts(message.activationId) > 0)
      return { record, platformFailure: false }
    }
    const result = await runActivation(runDeps, message, runnable, claimLate(message, attempt), attempt)
    if (result.start) observe?.started?.(result.start)
    if (!result.platformFailure) await conclude(message, result.record, true)
    return result
  }

  /** The claim of bus work. It overlaps with waiting for a container, like that of a direct invoke. */
  function claimLate(message: ActivationMessage, attempt: number): Promise<void> {
    const claimed = claims.claim(message, attempt)
    claimed.catch(() => undefined)
    return claimed
  }

  async function giveUp(message: ActivationMessage, attempts: number, reason: string): Promise<void> {
    await writeDeadLetter(state, clock, message, reason, attempts)
    const record = unstartedRecord(message, failed(3, failures.provision), clock.nowMs(), attempts, {
      deadLettered: message.origin.kind === 'rule',
    })
    await conclude(message, record, true)
  }

  function backoffMs(failures: number): number {
    const { attemptBackoffMs, attemptBackoffMsMax } = bounds.invoker
    return options.random.fraction() * Math.min(attemptBackoffMsMax, attemptBackoffMs * 2 ** (failures - 1))
  }

  /** What was in flight when the last process died: direct invokes get their whisk error, rules run again. */
  async function recover(left: readonly Claim[]): Promise<void> {
    for (const { activationId, attempt, message } of left) {
      const earlier = await activations.get(message.user.namespace.name, activationId)
      if (earlier) claims.settle(activationId)
      else if (message.origin.kind === 'direct') {
        const record = unstartedRecord(message, failed(3, failures.outcomeLost), clock.nowMs(), attempt)
        await conclude(message, record, true)
        log.warn({ activationId, transid: message.transid }, 'activation was in progress when the invoker stopped')
      }
    }
  }

  return {
    run,
    async start() {
      const topic = topics.invoker(options.instance)
      await bus.ensureTopic(topic, {
        partitions: 1,
        retentionMs: bounds.bus.retentionMs,
        messageBytesMax: bounds.bus.messageBytesMax,
      })
      await options.factory.cleanup()
      await recover(await claims.start())
      pool.start()
      subscription = await bus.subscribe(
        topic,
        {
          group: `invoker${options.instance}`,
          from: 'earliest',
          concurrency: prefetch(options.pool.userMemoryMb),
          order: 'none',
        },
        handle,
      )
    },
    async stop() {
      stopping = true
      const drained = subscription?.close()
      await Promise.allSettled([...running])
      await drained
      await claims.close()
      await pool.close()
    },
    stats: () => ({ ...pool.stats(), running: running.size }),
  }
}

/** Free slots and one batch (reliability.md §6.5.4): every place that memory could give, and as many again. */
function prefetch(userMemoryMb: number): number {
  return Math.max(64, 4 * Math.floor(userMemoryMb / bounds.actionLimits.memoryMbMin))
}

function errorText(record: ActivationRecord): string {
  const { result } = record.response
  const error = typeof result === 'object' && result !== null && 'error' in result ? result.error : undefined
  return typeof error === 'string' ? error : 'platform failure'
}
