/** Which instant of a subscription is to be fired now, and which are passed over: the catch-up rules (feeds.md §2.1). */
import { bounds } from '@sluice/core/model'
import type { CatchUpRules } from '../config.ts'
import type { Timetable } from '../timetable.ts'
import type { Due } from './ledger.ts'

export type Plan = {
  /** The one instant to fire now; those after it are planned when it is settled. */
  readonly fire?: Due
  /** Nothing is due before this instant. Without `fire` and `nextMs` the timetable has ended. */
  readonly nextMs?: number
  /** Instants that are passed over for good, counted up to a bound; all of them are at or before `droppedThroughMs`. */
  readonly dropped: number
  readonly droppedThroughMs?: number
}

/**
 * Decides for the instants after `cursorMs`. One missed by less than the grace always fires; older ones follow the rule:
 * `none` drops them, `latest` fires one event for the most recent missed instant, `all` fires those in the window, the
 * newest `max` of them.
 */
export function planNext({ next }: Timetable, cursorMs: number, nowMs: number, rules: CatchUpRules): Plan {
  const first = next(cursorMs)
  if (first === undefined || first > nowMs) return { nextMs: first, dropped: 0 }
  const staleMs = Math.floor(nowMs - rules.graceMs)
  if (first > staleMs) return { fire: { dueMs: first }, dropped: 0 }
  const missed: Missed = { next, cursorMs, first, staleMs, nowMs, rules }
  if (rules.catchUp === 'all') return planAll(missed)
  const count = countInstants(next, cursorMs, staleMs)
  return rules.catchUp === 'latest' ? planLatest(missed, count) : afterDropping(missed, count, staleMs)
}

type Next = Timetable['next']
type Missed = {
  readonly next: Next
  readonly cursorMs: number
  readonly first: number
  /** Instants up to here were missed by the grace or more. */
  readonly staleMs: number
  readonly nowMs: number
  readonly rules: CatchUpRules
}

/** A fresh instant fires anyway, so it stands for the older ones too. */
function planLatest(missed: Missed, count: number): Plan {
  const { next, first, staleMs, nowMs, rules } = missed
  const fresh = next(staleMs)
  if (fresh !== undefined && fresh <= nowMs) {
    return { fire: { dueMs: fresh, missedCount: count + 1 }, dropped: count, droppedThroughMs: staleMs }
  }
  const latest = lastInstant(next, first, staleMs)
  if (latest <= nowMs - rules.windowMs) return afterDropping(missed, count, staleMs)
  const passed = count - 1
  return {
    fire: { dueMs: latest, missedCount: count },
    dropped: passed,
    ...(passed && { droppedThroughMs: latest - 1 }),
  }
}

function planAll(missed: Missed): Plan {
  const { next, cursorMs, staleMs, nowMs, rules } = missed
  const windowMs = Math.max(cursorMs, nowMs - rules.windowMs)
  if (windowMs >= staleMs) return afterDropping(missed, countInstants(next, cursorMs, staleMs), staleMs)
  const oldest = nthLastInstant(next, windowMs, staleMs, rules.max) ?? next(windowMs)
  if (oldest === undefined || oldest > staleMs) {
    return afterDropping(missed, countInstants(next, cursorMs, staleMs), staleMs)
  }
  const dropped = countInstants(next, cursorMs, oldest - 1)
  return { fire: { dueMs: oldest }, dropped, ...(dropped && { droppedThroughMs: oldest - 1 }) }
}

function afterDropping({ next, nowMs }: Missed, dropped: number, throughMs: number): Plan {
  const following = next(throughMs)
  const due = following !== undefined && following <= nowMs
  return { ...(due ? { fire: { dueMs: following } } : { nextMs: following }), dropped, droppedThroughMs: throughMs }
}

/** Instants in (fromMs, toMs], at most the bound for missed ones. */
function countInstants(next: Next, fromMs: number, toMs: number, most: number = bounds.alarms.missedCountMax): number {
  let count = 0
  for (let at = next(fromMs); at !== undefined && at <= toMs && count < most; at = next(at)) count++
  return count
}

/** The last instant at or before `toMs`, given an earlier one: halving, because there may be many between. */
function lastInstant(next: Next, first: number, toMs: number): number {
  let latest = first
  let emptyAfter = Math.floor(toMs / 1000) * 1000
  while (latest < emptyAfter) {
    const middle = Math.floor((latest + emptyAfter) / 2000) * 1000
    const found = next(middle)
    if (found !== undefined && found <= toMs) latest = found
    else emptyAfter = middle
  }
  return latest
}

/** The `count`-th instant from the end of (fromMs, toMs], or undefined when there are fewer. */
function nthLastInstant(next: Next, fromMs: number, toMs: number, count: number): number | undefined {
  const enoughAfter = (afterMs: number) => countInstants(next, afterMs, toMs, count) === count
  let spanMs = count * 1000
  while (toMs - spanMs > fromMs && !enoughAfter(toMs - spanMs)) spanMs *= 2
  let enough = Math.max(fromMs, toMs - spanMs)
  if (!enoughAfter(enough)) return undefined
  // Instants are whole seconds: when both ends are a second apart, the one between them is the one looked for.
  let tooLate = toMs
  while (tooLate - enough > 1000) {
    const middle = Math.floor((enough + tooLate) / 2)
    if (enoughAfter(middle)) enough = middle
    else tooLate = middle
  }
  return next(enough)
}
