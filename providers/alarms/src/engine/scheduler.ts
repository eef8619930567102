/**
 * Decides what is due, for all subscriptions, without doing anything: a pulse asks, the provider fires, settles and
 * stores (pulse -> tick -> decisions -> fire -> settle -> tick).
 */
import { bounds } from '@sluice/core/model'
import type { Clock } from '@sluice/core/spi'
import { rulesOf, type AlarmConfig } from '../config.ts'
import type { Timetable } from '../timetable.ts'
import { planNext } from './catch-up.ts'
import { DueQueue } from './due-queue.ts'
import { endingOf, maxTriggersReached, type Ending } from './finish.ts'
import {
  cursorOf,
  withDropped,
  withIntent,
  withoutIntent,
  withOutcome,
  type Intent,
  type Ledger,
  type Outcome,
} from './ledger.ts'

export type Subscription = {
  readonly id: string
  /** Counts up with every accepted change; the provider compares it right before the request (feeds.md W30). */
  readonly generation: number
  readonly config: AlarmConfig
  readonly timetable: Timetable
  /** How long after each instant it is fired; the instant itself (and so the id) stays. */
  readonly jitterMs: number
}

export type Decision = { readonly id: string; readonly generation: number } & (
  | ({ readonly kind: 'fire'; readonly repeated: boolean } & Intent)
  | { readonly kind: 'drop'; readonly count: number }
  | ({ readonly kind: 'finish' } & Ending)
)

export type Tick = {
  readonly decisions: readonly Decision[]
  /** More is due: give other work its turn and tick again. */
  readonly more: boolean
}

/** `later` means that nothing was sent: the instant is decided anew, in a second. */
export type Settlement = Outcome | 'later'

type Entry = {
  readonly subscription: Subscription
  ledger: Ledger
  /** A decision to fire was handed out and not settled yet; nothing else of this subscription is. */
  firing: boolean
  queuedMs: number | undefined
}

export class Scheduler {
  readonly #clock: Clock
  readonly #entries = new Map<string, Entry>()
  readonly #queue = new DueQueue<{ readonly entry: Entry; readonly atMs: number }>()
  #wallMs: number
  #monotonicMs: number
  #auditedMs: number
  #steps = 0
  #rearmed = 0

  constructor({ clock }: { clock: Clock }) {
    this.#clock = clock
    this.#wallMs = clock.nowMs()
    this.#monotonicMs = clock.monotonicMs()
    this.#auditedMs = this.#monotonicMs
  }

  /** Armed subscriptions, places in the queue (some stale), wall-clock steps seen, and subscriptions the audit had to arm
   *  again, which should stay 0. */
  get counts(): { armed: number; waiting: number; clockSteps: number; rearmed: number } {
    const [armed, waiting] = [this.#entries.size, this.#queue.size]
    return { armed, waiting, clockSteps: this.#steps, rearmed: this.#rearmed }
  }

  /**
   * Starts deciding for a subscription, or goes on with its new configuration: a fire that is under way stays under way.
   * An intent in the ledger of a subscription that is not armed is fired again, whatever the catch-up rules say.
   */
  arm(subscription: Subscription, ledger: Ledger): void {
    const before = this.#entries.get(subscription.id)
    const entry: Entry = { subscription, ledger, firing: false, queuedMs: undefined }
    if (before?.firing && before.ledger.intent) {
      entry.ledger = { ...ledger, intent: before.ledger.intent }
      entry.firing = true
    }
    this.#entries.set(subscription.id, entry)
    if (!entry.firing) this.#enqueue(entry, this.#clock.nowMs())
  }

  /** Stops deciding; a fire under way is forgotten. */
  disarm(id: string): void {
    this.#entries.delete(id)
  }

  /** The ledger as it is to be stored: with the intent of a fire that was handed out, with the outcome once settled. */
  ledger(id: string): Ledger | undefined {
    return this.#entries.get(id)?.ledger
  }

  /** Whether a fire of this subscription was handed out and is not settled. */
  isFiring(id: string): boolean {
    return this.#entries.get(id)?.firing ?? false
  }

  /** The next instant (epoch ms) after now, for READ. */
  nextFireMs(id: string): number | undefined {
    const entry = this.#entries.get(id)
    return entry?.subscription.timetable.next(Math.max(cursorOf(entry.ledger), this.#clock.nowMs()))
  }

  /** Fires left until `maxTriggers`, or undefined without that limit. */
  triggersLeft(id: string): number | undefined {
    const entry = this.#entries.get(id)
    const limit = entry?.subscription.config.maxTriggers
    return entry === undefined || limit === undefined ? undefined : Math.max(0, limit - entry.ledger.fired)
  }

  /** A fire ended. Of an instant that is not under way nothing is taken. Tick afterwards: the next may be due. */
  settle(id: string, dueMs: number, settlement: Settlement): void {
    const entry = this.#entries.get(id)
    if (!entry?.firing || entry.ledger.intent?.dueMs !== dueMs) return
    const later = settlement === 'later'
    entry.firing = false
    entry.ledger = later ? withoutIntent(entry.ledger, dueMs) : withOutcome(entry.ledger, dueMs, settlement)
    this.#enqueue(entry, this.#clock.nowMs() + (later ? 1000 : 0))
  }

  /** What is due now. Takes a slice of the time only; `more` says that there is more to decide. */
  tick(): Tick {
    const nowMs = this.#clock.nowMs()
    const startMs = this.#clock.monotonicMs()
    this.#noticeClockStep(nowMs, startMs)
    this.#audit(nowMs, startMs)
    const decisions: Decision[] = []
    for (let item = this.#queue.takeDue(nowMs); item; item = this.#queue.takeDue(nowMs)) {
      const { entry, atMs } = item
      if (entry.queuedMs !== atMs || this.#entries.get(entry.subscription.id) !== entry) continue
      entry.queuedMs = undefined
      this.#decideAlone(entry, nowMs, decisions)
      if (decisions.length >= bounds.alarms.dueBatch) break
      if (this.#clock.monotonicMs() - startMs >= bounds.alarms.dueSliceMs) break
    }
    const firstMs = this.#queue.firstMs
    return { decisions, more: firstMs !== undefined && firstMs <= nowMs }
  }

  /** One subscription's failure is its own: it is switched off, and the others go on (feeds.md W7). */
  #decideAlone(entry: Entry, nowMs: number, decisions: Decision[]): void {
    try {
      this.#decide(entry, nowMs, decisions)
    } catch (error) {
      const reason = `Automatically disabled after receiving error on trigger initialization: ${String(error)}`
      this.#finish(entry, { action: 'disable', reason }, decisions)
    }
  }

  #decide(entry: Entry, nowMs: number, decisions: Decision[]): void {
    const { id, generation, config, timetable, jitterMs } = entry.subscription
    const about = { id, generation }
    if (entry.ledger.intent) {
      entry.firing = true
      decisions.push({ ...about, kind: 'fire', repeated: true, ...entry.ledger.intent })
      return
    }
    if (config.maxTriggers !== undefined && entry.ledger.fired >= config.maxTriggers) {
      this.#finish(entry, maxTriggersReached, decisions)
      return
    }
    const plan = planNext(timetable, cursorOf(entry.ledger), nowMs - jitterMs, rulesOf(config))
    if (plan.droppedThroughMs !== undefined) {
      entry.ledger = withDropped(entry.ledger, plan.dropped, plan.droppedThroughMs)
      if (plan.dropped > 0) decisions.push({ ...about, kind: 'drop', count: plan.dropped })
    }
    if (plan.fire) {
      entry.firing = true
      const intent: Intent = { ...plan.fire, decidedMs: nowMs }
      entry.ledger = withIntent(entry.ledger, intent)
      decisions.push({ ...about, kind: 'fire', repeated: false, ...intent })
    } else if (plan.nextMs === undefined) {
      this.#finish(entry, endingOf(config, entry.ledger, nowMs), decisions)
    } else {
      this.#enqueue(entry, plan.nextMs + jitterMs)
    }
  }

  #finish(entry: Entry, ending: Ending, decisions: Decision[]): void {
    const { id, generation } = entry.subscription
    this.#entries.delete(id)
    decisions.push({ id, generation, kind: 'finish', ...ending })
  }

  #enqueue(entry: Entry, atMs: number): void {
    entry.queuedMs = atMs
    this.#queue.push(atMs, { entry, atMs })
    // What was armed anew leaves its old place behind; it is cleared away before it doubles the queue.
    if (this.#queue.size > 2 * this.#entries.size + 1000) this.#queue.retain(item => isWaiting(this.#entries, item))
  }

  /** The wall clock moved against the monotonic one: every wait is decided anew. Settled instants stay settled. */
  #noticeClockStep(nowMs: number, monotonicMs: number): void {
    const stepMs = nowMs - this.#wallMs - (monotonicMs - this.#monotonicMs)
    this.#wallMs = nowMs
    this.#monotonicMs = monotonicMs
    if (Math.abs(stepMs) <= bounds.alarms.clockStepMs) return
    this.#steps++
    for (const entry of this.#entries.values()) if (!entry.firing) this.#enqueue(entry, nowMs)
  }

  /** No subscription is left behind: each is firing or waits for an instant that is not long past (feeds.md W26). */
  #audit(nowMs: number, monotonicMs: number): void {
    if (monotonicMs - this.#auditedMs < bounds.alarms.auditMs) return
    this.#auditedMs = monotonicMs
    for (const entry of this.#entries.values()) {
      const waits = entry.queuedMs !== undefined && entry.queuedMs > nowMs - bounds.alarms.auditMs
      if (entry.firing || waits) continue
      this.#rearmed++
      this.#enqueue(entry, nowMs)
    }
  }
}

function isWaiting(entries: ReadonlyMap<string, Entry>, { entry, atMs }: { entry: Entry; atMs: number }): boolean {
  return entry.queuedMs === atMs && entries.get(entry.subscription.id) === entry
}
