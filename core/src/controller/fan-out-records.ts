import {
  failures,
  parseJson,
  type ActivationRecord,
  type FiredRule,
  type FireRecord,
  type RecordBookkeeping,
} from '../model/index.ts'
import { dataOf } from './action-input.ts'
import type { ResolvedAction } from './services.ts'

/** The records that fan-out itself writes: the trigger's, and those of runs that never get to an invoker. */

export type RunEntry = { readonly rule: string; readonly activationId?: string; readonly refused?: boolean }

/** `logs` and `runs` have one entry for each rule, in the order of the rules; a filtered one has none. */
export function triggerRecord(fire: FireRecord, logs: readonly string[], runs: readonly RunEntry[]): ActivationRecord {
  const unlisted = fire.user.limits.storeActivations === false
  const sluice: RecordBookkeeping = { fireId: fire.fireId, runs, ...(unlisted ? { unlisted } : {}) }
  return {
    namespace: fire.user.namespace.name,
    name: fire.trigger.name,
    version: fire.trigger.version,
    subject: fire.user.subject,
    activationId: fire.fireId,
    start: fire.acceptedAtMs,
    response: { statusCode: 0, result: parseJson(fire.input === 'event' ? fire.payload : dataOf(fire)) },
    logs: [...logs, ...summaryOf(fire)],
    annotations: [],
    publish: false,
    sluice,
  }
}

/** A run that is settled without having been sent: its message would be larger than the bus takes (design.md §3.2), or
 *  the rule's transform failed (events.md §3.3). */
export function unsentRecord(
  fire: FireRecord,
  rule: FiredRule,
  resolved: ResolvedAction,
  activationId: string,
  nowMs: number,
  response: ActivationRecord['response'],
): ActivationRecord {
  const { action } = resolved
  const about = { name: action.name, version: action.version, id: resolved.id, kind: action.exec.kind }
  return { ...unstarted(fire, rule, activationId, nowMs, about, {}), response }
}

/** A run whose action could not be looked up in any attempt (reliability.md §6.5.2). */
export function deadRunRecord(
  fire: FireRecord,
  rule: FiredRule,
  activationId: string,
  nowMs: number,
  attempt: number,
): ActivationRecord {
  const name = rule.action.slice(rule.action.lastIndexOf('/') + 1)
  // Nobody knows which version it would have been.
  const about = { name, version: '0.0.1', id: rule.action, kind: 'unknown' }
  return unstarted(fire, rule, activationId, nowMs, about, { attempt, deadLettered: true })
}

/** One line after OpenWhisk's own, if the trigger has a filter at all (events.md §3.6). */
function summaryOf({ hasFilters, rules }: FireRecord): string[] {
  if (!hasFilters) return []
  const matched = rules.filter(({ decision }) => decision === 'run').length
  const filtered = rules.filter(({ decision }) => decision === 'filtered').length
  return [JSON.stringify({ matched, filtered })]
}

function unstarted(
  fire: FireRecord,
  rule: FiredRule,
  activationId: string,
  nowMs: number,
  about: { name: string; version: string; id: string; kind: string },
  bookkeeping: RecordBookkeeping,
): ActivationRecord {
  return {
    namespace: fire.user.namespace.name,
    name: about.name,
    version: about.version,
    subject: fire.user.subject,
    activationId,
    start: nowMs,
    end: nowMs,
    duration: 0,
    response: { statusCode: 3, result: { error: failures.provision } },
    logs: [],
    annotations: [
      { key: 'path', value: about.id },
      { key: 'kind', value: about.kind },
    ],
    publish: false,
    sluice: { fireId: fire.fireId, rule: rule.rule, round: 0, ...bookkeeping },
  }
}

/** One JSON line of a trigger's log, keys in OpenWhisk's order (rest-api.md §7.2). */
export function logLine(
  rule: FiredRule,
  outcome: { activationId: string } | { statusCode: number; error: string },
): string {
  return 'activationId' in outcome
    ? JSON.stringify({
        statusCode: 0,
        success: true,
        activationId: outcome.activationId,
        rule: rule.rule,
        action: rule.action,
      })
    : JSON.stringify({
        statusCode: outcome.statusCode,
        success: false,
        rule: rule.rule,
        error: outcome.error,
        action: rule.action,
      })
}
