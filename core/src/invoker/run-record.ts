import type {
  ActivationMessage,
  ActivationRecord,
  ActivationResponse,
  Annotation,
  RecordBookkeeping,
} from '../model/index.ts'
import type { RunnableAction } from './action-source.ts'

/** Builds terminal records (platform.md §11.2). */

/** Wall times (epoch ms) and durations (ms) of a run; `initMs` is there when the container was initialised for it. */
export type RunTimes = {
  readonly startMs: number
  readonly endMs: number
  readonly waitMs: number
  readonly initMs?: number
  readonly durationMs: number
}

export function runRecord(
  message: ActivationMessage,
  runnable: RunnableAction,
  response: ActivationResponse,
  times: RunTimes,
  timedOut: boolean,
  logs: readonly string[],
  attempt: number,
): ActivationRecord {
  const { action, exec } = runnable
  const annotations: Annotation[] = [
    { key: 'path', value: runnable.id },
    { key: 'waitTime', value: times.waitMs },
    { key: 'kind', value: exec.kind },
    { key: 'timeout', value: timedOut },
    { key: 'limits', value: action.limits },
  ]
  if (times.initMs !== undefined) annotations.push({ key: 'initTime', value: times.initMs })
  if (message.binding !== undefined) annotations.push({ key: 'binding', value: message.binding })
  return {
    namespace: message.user.namespace.name,
    name: action.name,
    version: action.version,
    subject: message.user.subject,
    activationId: message.activationId,
    start: times.startMs,
    end: times.endMs,
    duration: times.durationMs,
    ...(message.cause === undefined ? {} : { cause: message.cause }),
    response,
    logs,
    annotations,
    publish: false,
    ...bookkeeping(message, attempt),
  }
}

/** The record of a run that never got as far as its action's code. */
export function unstartedRecord(
  message: ActivationMessage,
  response: ActivationResponse,
  nowMs: number,
  attempt: number,
  more?: { runnable?: RunnableAction; deadLettered?: boolean },
): ActivationRecord {
  const { id, version } = message.action
  const annotations: Annotation[] = [
    { key: 'path', value: id },
    { key: 'kind', value: more?.runnable?.exec.kind ?? 'unknown' },
  ]
  if (more?.runnable) annotations.push({ key: 'limits', value: more.runnable.action.limits })
  if (message.binding !== undefined) annotations.push({ key: 'binding', value: message.binding })
  return {
    namespace: message.user.namespace.name,
    name: id.slice(id.lastIndexOf('/') + 1),
    version,
    subject: message.user.subject,
    activationId: message.activationId,
    start: nowMs,
    end: nowMs,
    duration: 0,
    ...(message.cause === undefined ? {} : { cause: message.cause }),
    response,
    logs: [],
    annotations,
    publish: false,
    ...bookkeeping(message, attempt, more?.deadLettered),
  }
}

function bookkeeping(
  message: ActivationMessage,
  attempt: number,
  deadLettered?: boolean,
): { sluice?: RecordBookkeeping } {
  const { origin, user } = message
  const unlisted = user.limits.storeActivations === false
  if (origin.kind === 'direct' && !unlisted && !deadLettered) return {}
  return {
    sluice: {
      ...(unlisted ? { unlisted } : {}),
      ...(origin.kind === 'rule' ? { fireId: origin.fireId, rule: origin.rule, round: origin.round, attempt } : {}),
      ...(deadLettered ? { deadLettered } : {}),
    },
  }
}
