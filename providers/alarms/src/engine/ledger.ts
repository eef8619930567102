/** What is remembered of a subscription's instants, so that a restart neither loses nor doubles one (feeds.md F5). */
import type { AlarmConfig } from '../config.ts'

/** How a fire ended; all of them settle the instant. */
export type Outcome = 'fired' | 'deadLettered' | 'filtered' | 'expired'

/** An instant that is to be fired. */
export type Due = {
  readonly dueMs: number
  /** How many missed instants this fire stands for (catch-up only). */
  readonly missedCount?: number
}

/** A fire about to be sent. It is written first, with all that a second attempt must repeat word for word. */
export type Intent = Due & {
  /** When it was decided: the event's `recordedtime`. */
  readonly decidedMs: number
}

/** Stored as JSON, one for each subscription. All instants are epoch ms. */
export type Ledger = {
  /** Instants at or before are none of ours: earlier than the subscription, or dropped by the catch-up rules. */
  readonly fromMs: number
  /** The last settled instant, and how it ended. */
  readonly doneMs?: number
  readonly outcome?: Outcome
  /** Written before the request, removed with `done`: after a crash it is fired again under the same id. */
  readonly intent?: Intent
  /** Successful fires, for `maxTriggers`. */
  readonly fired: number
  /** Missed instants that the rules did not fire. */
  readonly dropped: number
}

/** The ledger of a subscription made at `nowMs`. */
export function newLedger(nowMs: number): Ledger {
  return { fromMs: nowMs, fired: 0, dropped: 0 }
}

/** All instants up to here are settled, dropped or not ours. */
export function cursorOf(ledger: Ledger): number {
  return Math.max(ledger.fromMs, ledger.doneMs ?? -Infinity, ledger.intent?.dueMs ?? -Infinity)
}

export function withIntent(ledger: Ledger, intent: Intent): Ledger {
  return { ...ledger, intent }
}

/** The ledger once the intent for `dueMs` ended. Returns the same ledger when there is no such intent. */
export function withOutcome(ledger: Ledger, dueMs: number, outcome: Outcome): Ledger {
  if (ledger.intent?.dueMs !== dueMs) return ledger
  const { intent: _, ...rest } = ledger
  return { ...rest, doneMs: dueMs, outcome, fired: ledger.fired + (outcome === 'fired' ? 1 : 0) }
}

/** The ledger after an intent was given up before anything was sent: the instant is decided anew. */
export function withoutIntent(ledger: Ledger, dueMs: number): Ledger {
  if (ledger.intent?.dueMs !== dueMs) return ledger
  const { intent: _, ...rest } = ledger
  return rest
}

/** `count` instants up to and including `throughMs` will not be fired. */
export function withDropped(ledger: Ledger, count: number, throughMs: number): Ledger {
  return { ...ledger, fromMs: Math.max(ledger.fromMs, throughMs), dropped: ledger.dropped + count }
}

/**
 * The ledger for a changed configuration: other instants count from now on and nothing is made up for the time before,
 * but what was settled stays so (feeds.md W22).
 */
export function ledgerAfterUpdate(ledger: Ledger, before: AlarmConfig, after: AlarmConfig, nowMs: number): Ledger {
  if (timing(before) === timing(after)) return ledger
  return { ...ledger, fromMs: Math.max(ledger.fromMs, nowMs) }
}

function timing(config: AlarmConfig): string {
  const parts: Record<string, unknown> = { ...config }
  const names = ['cron', 'timezone', 'cronDialect', 'dst', 'strict', 'startDate', 'minutes', 'date']
  return JSON.stringify(names.map(name => parts[name]))
}
