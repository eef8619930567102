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
  ContainerSpec,
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
import { createActionSource, type RunnableAction, type Unrunnable } from './action-source.ts'
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
  /** What actions reach; feed actions of the system reach the public API all the same. */
  readonly egress: ContainerSpec['egress']
  readonly environment: (spec: { concurrency: number }) => Readonly<Record<string, string>>
  readonly imageOf: (kind: string) => string
  /** Whether an image that a user names is the platform's own, which marks the end of each run's log. */
  readonly isNative: (image: string) => boolean
  readonly observe?: InvokerObserver
}

/** Hears of what happens, for metrics. Must not throw. */
export type InvokerObserver = {
  started?(kind: StartKind): void
  settled?(record: ActivationRecord, message: ActivationMessage): void
  redelivered?(message: ActivationMessage): void
  /** A redelivered message had nothing left to do: its run has its record, or is being worked on. */
  repeated?(message: ActivationMessage): void
}

export function createInvoker(options: InvokerOptions): Invoker {
  const { activations, bus, clock, log, observe, state, tail } = options
  const pool = createContainerPool({
    ...options.pool,
    factory: options.factory,
    clock,
    log,
    instance: options.instance,
    labels: options.labels,
    egress: options.egress,
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
    isNative: options.isNative,
    awaited: false,
  }
  const awaitedDeps: RunDependencies = { ...runDeps, awaited: true }
  const running = new Set<Promise<unknown>>()
  /** Activations from the bus that are being worked on: the same one twice must not run twice. */
  const busIds = new Set<string>()
  const topic = topics.invoker(options.instance)
  let subscription: Subscription | undefined
  let stopping = false

  function track<T>(work: Promise<T>): Promise<T> {
    running.add(work)
    const done = (): void => void running.delete(work)
    work.then(done, done)
    return work
  }

  /** Makes the record durable, then tells everybody; only then the claim is settled, if there is one. `fresh`: nobody
   *  else can have written a record of this id. */
  async function conclude(
    message: ActivationMessage,
    record: ActivationRecord,
    fresh = false,
  ): Promise<ActivationRecord> {
    const outcome = await activations.insert(record, { fresh })
    claims.settle(message.activationId)
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
    const loaded = actions.load(message.action.id, message.action.revision)
    if (loaded instanceof Promise) return runLoading(message, loaded)
    refuseIfSlow(message, loaded)
    const accepted = claims.claim(message, 1)
    return heard(accepted, track(runDirect(message, loaded, accepted)))
  }

  /** The door can only be looked at when the action is known; until then nothing is accepted. */
  function runLoading(message: ActivationMessage, loading: Promise<RunnableAction | Unrunnable>): Invocation {
    let accept: (claimed: Promise<void>) => void = () => undefined
    let refuse: (error: unknown) => void = () => undefined
    const accepted = new Promise<void>((resolve, reject) => {
      accept = resolve
      refuse = reject
    })
    const outcome = loading
      .catch(() => 'unfetched' as const)
      .then(loaded => {
        if (typeof loaded !== 'string') refuseIfSlow(message, loaded)
        const claimed = claims.claim(message, 1)
        accept(claimed)
        return runDirect(message, loaded, claimed)
      })
    outcome.catch(refuse)
    return heard(accepted, track(outcome))
  }

  /** Either may be left unheard: by a caller that stopped waiting, or that only waits for the outcome. */
  function heard(accepted: Promise<void>, outcome: Promise<ActivationRecord>): Invocation {
    accepted.catch(() => undefined)
    outcome.catch(() => undefined)
    return { accepted, outcome }
  }

  /** The door of direct invokes (reliability.md §6.4.5). */
  function refuseIfSlow(message: ActivationMessage, runnable: RunnableAction): void {
    const spec = actionSpec(message, runnable, options.imageOf)
    if (pool.full(spec.namespaceUuid))
      throw new SluiceError('SLUICE_OVERLOADED', 'Too many activations wait for a container; try again later.')
    if (!pool.waitsLonger(spec, bounds.invoker.directWaitMsMax)) return
    throw new SluiceError('SLUICE_OVERLOADED', 'The activation would wait too long for a container; try again later.')
  }

  async function runDirect(
    message: ActivationMessage,
    runnable: RunnableAction | Unrunnable,
    claimed: Promise<void>,
  ): Promise<ActivationRecord> {
    if (typeof runnable === 'string') {
      await claimed
      return conclude(message, unfetchedRecord(message, runnable, 1))
    }
    let result: RunResult
    try {
      // Claimed at the door, which is its acceptance; waiting for a container overlaps with it.
      result = await runActivation(awaitedDeps, message, runnable, () => claimed, 1)
    } catch (error) {
      // Not run: either never accepted (the claim failed), or accepted and refused by a full or closing pool.
      await claimed
      log.warn({ err: error, activationId: message.activationId }, 'accepted activation could not be placed')
      const response = failed(3, failures.provision)
      return conclude(message, unstartedRecord(message, response, clock.nowMs(), 1, { runnable }))
    }
    // A container that could not be started ends the run before anybody has waited for the claim.
    await claimed
    if (result.start) observe?.started?.(result.start)
    return conclude(message, result.record, true)
  }

  function unfetchedRecord(message: ActivationMessage, why: Unrunnable, attempt: number): ActivationRecord {
    const response =
      why === 'gone'
        ? failed(1, failures.actionGone)
        : failed(3, why === 'unreadable' ? failures.actionVersion : failures.actionFetch)
    return unstartedRecord(message, response, clock.nowMs(), attempt)
  }

  /** A message of topic `invoker<N>`: done when its record is durable, so that a crash brings it again. */
  async function handle(incoming: Incoming): Promise<void> {
    const message = decode(incoming.body)
    if (!message) {
      // Trying again does not make it readable; kept for whoever wants to know what it was (reliability.md §6.2.5).
      log.error({ position: incoming.position }, 'a message that is no activation is set aside')
      return bus.publish(topics.quarantine, [{ headers: { ...incoming.headers, topic }, body: incoming.body }])
    }
    if (incoming.redelivered) observe?.redelivered?.(message)
    const { activationId } = message
    // A fire that was sent again under its identity, or whose fan-out was interrupted, comes twice without being marked; so
    // does an invoke that was sent again under its key.
    const { origin } = message
    const perhapsSeen = incoming.redelivered || origin.kind === 'rule' || origin.identified === true
    if (!perhapsSeen) return track(runFromBus(message))
    const repeated = (): void => {
      if (incoming.redelivered) observe?.repeated?.(message)
    }
    if (busIds.has(activationId)) return repeated()
    busIds.add(activationId)
    try {
      if (await activations.get(message.user.namespace.name, activationId)) {
        claims.settle(activationId)
        repeated()
      } else await track(runFromBus(message))
    } finally {
      busIds.delete(activationId)
    }
  }

  async function runFromBus(message: ActivationMessage): Promise<void> {
    const rule = message.origin.kind === 'rule'
    const { attemptsMax, attemptElapsedMsMax, lostAttemptsMax } = bounds.invoker
    let attempt = claims.earlierAttempts(message.activationId)
    if (attempt >= lostAttemptsMax) return giveUp(message, attempt, 'the invoker stopped during every attempt')
    const since = clock.monotonicMs()
    for (let tries = 1, failures = 0; ; tries++) {
      attempt++
      const result = await attemptOnce(message, attempt)
      if (!result.platformFailure) return
      if (!rule) return void (await conclude(message, result.record))
      // One that was sent counts like one that a crash of this process cut off (reliability.md P6).
      if (!result.lost) failures++
      else if (attempt >= lostAttemptsMax) return giveUp(message, attempt, 'every container was lost during the run')
      if (failures >= attemptsMax || clock.monotonicMs() - since > attemptElapsedMsMax)
        return giveUp(message, attempt, errorText(result.record))
      await clock.sleep(backoffMs(tries))
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
      await conclude(message, record)
      return { record, platformFailure: false }
    }
    // Only what has a container is claimed: a claim that outlives this process means that `/run` may have been sent,
    // and counts as an attempt.
    let claimed: Promise<void> | undefined
    const claim = (): Promise<void> => (claimed ??= claims.claim(message, attempt))
    const result = await runActivation(runDeps, message, runnable, claim, attempt)
    if (result.start) observe?.started?.(result.start)
    if (!result.platformFailure) await conclude(message, result.record)
    return result
  }

  async function giveUp(message: ActivationMessage, attempts: number, reason: string): Promise<void> {
    await writeDeadLetter(state, clock, message, reason, attempts)
    const record = unstartedRecord(message, failed(3, failures.provision), clock.nowMs(), attempts, {
      deadLettered: message.origin.kind === 'rule',
    })
    await conclude(message, record)
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
        await conclude(message, record)
        log.warn({ activationId, transid: message.transid }, 'activation was in progress when the invoker stopped')
      }
    }
  }

  return {
    run,
    async start() {
      // Containers are started after it, so the rest need not wait for an engine that has many to remove.
      options.factory
        .cleanup()
        .catch((error: unknown) => log.warn({ err: error }, 'containers of an earlier start could not be removed'))
      await bus.ensureTopic(topic, {
        partitions: 1,
        retentionMs: bounds.bus.retentionMs,
        messageBytesMax: bounds.bus.messageBytesMax,
      })
      await recover(await claims.start())
      pool.start()
      subscription = await bus.subscribe(
        topic,
        {
          group: `invoker${options.instance}`,
          from: 'earliest',
          // Free slots and one batch (reliability.md §6.5.4). Of that one namespace gets the half at most.
          concurrency: placesOf(options.pool.userMemoryMb) + bounds.invoker.prefetchBatch,
          bytesMax: bounds.invoker.prefetchBytesMax,
          order: 'fair',
        },
        handle,
      )
    },
    async stop() {
      stopping = true
      const drained = subscription?.close()
      pool.turnBack()
      await Promise.allSettled([...running])
      await drained
      await claims.close()
      await pool.close()
    },
    stats: () => ({ ...pool.stats(), running: running.size }),
  }
}

function decode(body: Uint8Array): ActivationMessage | undefined {
  try {
    const message = JSON.parse(
      Buffer.from(body.buffer, body.byteOffset, body.byteLength).toString(),
    ) as Partial<ActivationMessage> | null
    return message?.activationId && message.user && message.action && message.origin
      ? (message as ActivationMessage)
      : undefined
  } catch {
    return undefined
  }
}

/** How many runs the containers could take, with as many more as keeps them busy. */
function placesOf(userMemoryMb: number): number {
  return bounds.invoker.prefetchPerPlace * Math.max(1, Math.floor(userMemoryMb / bounds.actionLimits.memoryMbMin))
}

function errorText(record: ActivationRecord): string {
  const { result } = record.response
  const error = typeof result === 'object' && result !== null && 'error' in result ? result.error : undefined
  return typeof error === 'string' ? error : 'platform failure'
}
