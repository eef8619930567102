import {
  bounds,
  failures,
  isSluiceError,
  mintActionKey,
  parseSize,
  SluiceError,
  valueOf,
  isTruthy,
  type ActivationMessage,
  type ActivationRecord,
  type ActivationResponse,
} from '../model/index.ts'
import type { Clock, KeyRing, LogRead } from '../spi/index.ts'
import type { RunnableAction } from './action-source.ts'
import type { ContainerPool, Lease, StartKind } from './container-pool.ts'
import type { ActionSpec, PooledContainer } from './pooled-container.ts'
import { failed, initFailure, isLostFromOutside, runResponse, type CallOutcome } from './run-outcome.ts'
import { runRecord, unstartedRecord } from './run-record.ts'
import { initBody, runBody, splitArguments, type RunContext } from './run-request.ts'

/**
 * One run: a place in the pool, `/init` if the container is new, the durable claim, `/run`, the logs, the record
 * (platform.md §9-§12). `platformFailure` marks records that a policy may replace by another attempt; with `lost`, the
 * action may have run: its container was taken away from outside after `/run` was sent.
 */
export type RunResult = {
  readonly record: ActivationRecord
  readonly platformFailure: boolean
  readonly lost?: boolean
  readonly start?: StartKind
}

export type RunDependencies = {
  readonly pool: ContainerPool
  readonly clock: Clock
  readonly keyRing: KeyRing
  readonly limits: { readonly resultBytesMax: number; readonly resultTruncationBytes: number }
  readonly imageOf: (kind: string) => string
  readonly isNative: (image: string) => boolean
  /** A caller waits for the answers of these runs. */
  readonly awaited: boolean
}

/** `claim` resolves when the claim is durable: `/run` is not sent before that. It is asked for only when everything is
 *  ready for `/run`, so whoever makes the claim then claims nothing that merely waits. */
export async function runActivation(
  deps: RunDependencies,
  message: ActivationMessage,
  runnable: RunnableAction,
  claim: () => Promise<void>,
  attempt: number,
): Promise<RunResult> {
  const spec = actionSpec(message, runnable, deps.imageOf)
  for (let tries = 1; ; tries++) {
    let lease: Lease
    try {
      const acquired = deps.pool.acquire(spec, deps.awaited)
      lease = acquired instanceof Promise ? await acquired : acquired
    } catch (error) {
      if (error instanceof SluiceError && (error.code === 'SLUICE_OVERLOADED' || error.code === 'SLUICE_CLOSED'))
        throw error
      return startFailure(deps, message, runnable, attempt, spec.image, error)
    }
    const result = await runIn(deps, lease, message, runnable, claim, attempt)
    if (result !== 'unsent') return result
    // The container was gone before anything was sent: take another, but not for ever.
    if (tries >= bounds.invoker.attemptsMax) return provisionFailure(deps, message, runnable, attempt)
  }
}

/** What an action's own image is to blame for is the developer's error, everything else the platform's. */
function startFailure(
  deps: RunDependencies,
  message: ActivationMessage,
  runnable: RunnableAction,
  attempt: number,
  image: string,
  error: unknown,
): RunResult {
  const text = isSluiceError(error, 'SLUICE_IMAGE_PULL')
    ? failures.pull(image)
    : isSluiceError(error, 'SLUICE_IMAGE_COMMAND')
      ? failures.imageCommand(image)
      : undefined
  if (text === undefined) return provisionFailure(deps, message, runnable, attempt)
  const record = unstartedRecord(message, failed(2, text), deps.clock.nowMs(), attempt, { runnable })
  return { record, platformFailure: false }
}

function provisionFailure(
  { clock }: RunDependencies,
  message: ActivationMessage,
  runnable: RunnableAction,
  attempt: number,
): RunResult {
  return {
    record: unstartedRecord(message, failed(3, failures.provision), clock.nowMs(), attempt, { runnable }),
    platformFailure: true,
  }
}

async function runIn(
  deps: RunDependencies,
  lease: Lease,
  message: ActivationMessage,
  runnable: RunnableAction,
  claim: () => Promise<void>,
  attempt: number,
): Promise<RunResult | 'unsent'> {
  const { clock } = deps
  const { pooled } = lease
  const { limits } = runnable.action
  const sentinels = sentinelsOf(runnable, deps.isNative)
  let fate: 'keep' | 'destroy' = 'destroy'
  try {
    const { value, env } = splitArguments(message, deps.keyRing)
    let startMs = clock.nowMs()
    let initMs: number | undefined
    if (!pooled.initialised) {
      const context = runContext(deps, message, runnable, attempt)
      const since = clock.monotonicMs()
      const outcome = await pooled.client.init(
        initBody(runnable, message, context, env),
        callLimits(deps, limits.timeout, 'init'),
      )
      if (isLostFromOutside(outcome)) return 'unsent'
      initMs = clock.monotonicMs() - since
      const failure = initFailure(outcome, limits.timeout)
      if (failure) {
        const logs = await readLogs(pooled, limits.logs, sentinels, outcome, failure, clock.nowMs())
        const times = {
          startMs,
          endMs: clock.nowMs(),
          waitMs: startMs - message.acceptedAtMs,
          initMs: Math.round(initMs),
          durationMs: Math.round(initMs),
        }
        return {
          record: runRecord(message, runnable, failure, times, outcome.kind === 'timeout', logs, attempt),
          platformFailure: false,
          start: lease.start,
        }
      }
      lease.initialised()
    }
    // Without its claim nothing is sent, and the container is as good as before.
    fate = 'keep'
    await claim()
    fate = 'destroy'
    if (initMs === undefined) startMs = clock.nowMs()
    const context = runContext(deps, message, runnable, attempt)
    const since = clock.monotonicMs()
    const outcome = await pooled.client.run(
      runBody(runnable, message, context, value),
      callLimits(deps, limits.timeout, 'run', message),
    )
    if (outcome.kind === 'unsent') return 'unsent'
    const runMs = clock.monotonicMs() - since
    const response = runResponse(outcome, limits.timeout)
    const durationMs = Math.round(runMs + (initMs ?? 0))
    const times = {
      startMs,
      endMs: startMs + durationMs,
      waitMs: Math.max(0, startMs - message.acceptedAtMs),
      ...(initMs === undefined ? {} : { initMs: Math.round(initMs) }),
      durationMs,
    }
    const logs = await readLogs(pooled, limits.logs, sentinels, outcome, response, clock.nowMs())
    if (response.statusCode < 2) fate = 'keep'
    const lost = isLostFromOutside(outcome)
    return {
      record: runRecord(message, runnable, response, times, outcome.kind === 'timeout', logs, attempt),
      platformFailure: lost,
      lost,
      start: lease.start,
    }
  } finally {
    lease.release(fate)
  }
}

/** Time enough for the exit of a container to bring the last of its output (it is at its end, not idle). */
const leftoverIdleMs = 50
/** A container that floods its log is not read for longer: it is ended only after that (reliability.md R13). */
const leftoverTotalMs = 500

/** Images of users need not mark the end of a run's log (runtimes.md §5.11): nobody waits for a mark of theirs. */
function sentinelsOf({ exec }: RunnableAction, isNative: (image: string) => boolean): 0 | 2 {
  return exec.image === undefined || isNative(exec.image) ? 2 : 0
}

/** Reads this run's output up to its sentinels; after a developer error only what is there (platform.md §12). */
async function readLogs(
  pooled: PooledContainer,
  logsMb: number,
  sentinels: 0 | 2,
  outcome: CallOutcome,
  response: ActivationResponse,
  nowMs: number,
): Promise<readonly string[]> {
  const bytesMax = logsMb * 1024 * 1024
  const { logIdleMs, logMsPerMb, logMbMin } = bounds.invoker
  const developerError = response.statusCode >= 2
  const leftovers = developerError && outcome.kind !== 'answer'
  const read: LogRead = await pooled.container.logs.read({
    sentinels,
    bytesMax,
    idleMs: leftovers ? leftoverIdleMs : logIdleMs,
    totalMs: leftovers ? leftoverTotalMs : Math.max(logsMb, logMbMin) * logMsPerMb,
  })
  if (logsMb === 0) return []
  if (!read.truncated && read.complete && !developerError) return read.lines
  const lines = [...read.lines]
  const time = read.lines.at(-1)?.slice(0, 30) ?? `${new Date(nowMs).toISOString().slice(0, 23)}000000Z`
  const notice = (text: string): void => void lines.push(`${time} stderr: ${text}`)
  if (read.truncated) notice(failures.logsTruncated(bytesMax))
  else if (!read.complete && !developerError) notice(failures.logsMissing)
  if (developerError) notice(failures.logsDeveloperError)
  return lines
}

function runContext(
  { clock, keyRing }: RunDependencies,
  message: ActivationMessage,
  runnable: RunnableAction,
  attempt: number,
): RunContext {
  const deadlineMs = clock.nowMs() + runnable.action.limits.timeout
  const wish = valueOf(runnable.action.annotations, 'provide-api-key')
  if (wish !== undefined && !isTruthy(wish)) return { deadlineMs, attempt }
  const { uuid } = message.user.namespace
  // A minute beyond the deadline, for a call that the action makes in its last moment.
  const key = mintActionKey(uuid, deadlineMs + 60_000, text => keyRing.hash(text))
  return { deadlineMs, attempt, apiKey: `${uuid}:${key}` }
}

function callLimits(
  deps: RunDependencies,
  timeoutMs: number,
  phase: 'init' | 'run',
  message?: ActivationMessage,
): { timeoutMs: number; bytesMax: number; truncationBytes: number } {
  const { resultBytesMax, resultTruncationBytes } = deps.limits
  if (phase === 'init' || !message)
    return { timeoutMs, bytesMax: resultBytesMax, truncationBytes: resultTruncationBytes }
  const { maxPayloadSize, truncationSize } = message.user.limits
  return {
    timeoutMs,
    bytesMax: Math.min(resultBytesMax, parseSize(maxPayloadSize) ?? resultBytesMax),
    truncationBytes: Math.min(resultTruncationBytes, parseSize(truncationSize) ?? resultTruncationBytes),
  }
}

/** What the pool needs to know of this run. */
export function actionSpec(
  message: ActivationMessage,
  runnable: RunnableAction,
  imageOf: (kind: string) => string,
): ActionSpec {
  const { namespace } = message.user
  const { action, exec } = runnable
  return {
    key: `${namespace.uuid} ${runnable.id} ${runnable.revision}`,
    namespace: namespace.name,
    namespaceUuid: namespace.uuid,
    name: action.name,
    kind: exec.kind,
    image: exec.image ?? imageOf(exec.kind),
    userImage: exec.kind === 'blackbox',
    memoryMb: action.limits.memory,
    concurrency: action.limits.concurrency,
    needsApi: isSystemFeed(runnable),
  }
}

/** Feed actions of the platform reach their providers, whatever other actions reach (design.md §7). */
function isSystemFeed({ id, action }: RunnableAction): boolean {
  return id.startsWith('whisk.system/') && isTruthy(valueOf(action.annotations, 'feed'))
}
