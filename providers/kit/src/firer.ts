import { bounds } from '@sluice/core/model'
import type { Clock, Random } from '@sluice/core/spi'
import { failureOf, type Answer, type HubClient } from '@sluice/core/client'
import { Breaker } from './breaker.ts'
import type { EventRequest } from './event-request.ts'
import { Gate, Pauses } from './gate.ts'
import { backoffMs, classOfStatus, retryAfterMs, type FireClass } from './retry.ts'
import type { TriggerRef } from './trigger-name.ts'

/** One event on its way to one trigger. */
export type FireCall = {
  readonly trigger: TriggerRef
  /** Decrypts the key, for one attempt at a time. */
  readonly authKey: () => string
  /** Made again for every attempt, equal each time: what waits its turn should be small. */
  readonly request: () => EventRequest
  readonly maxAttempts: number
  readonly maxRetryElapsedMs: number
  /** Ends the waiting between attempts; an attempt that is under way is finished, so that its outcome is known. */
  readonly signal: AbortSignal
  /** Told of every attempt's answer: its class, status (0 without an answer) and duration. */
  readonly onAttempt?: (attempt: AttemptReport) => void
}

export type AttemptReport = {
  readonly class: FireClass
  readonly status: number
  readonly attempt: number
  /** When the request was written. */
  readonly sentAtMs: number
  readonly durationMs: number
}

/** How an event ended. `held`: not delivered, and not to be counted as done: the subscription must stop. */
export type FireResult =
  | { readonly kind: 'fired'; readonly status: number; readonly attempts: number }
  | {
      readonly kind: 'refused'
      readonly reason: string
      readonly status: number
      readonly attempts: number
      readonly answer: string
    }
  | { readonly kind: 'held'; readonly status: number; readonly attempts: number }

export interface Firer {
  /** Resolves when the event's fate is decided; rejects with the signal's reason when it is not. */
  fire(call: FireCall): Promise<FireResult>
  readonly inFlight: number
  /** Whether the hub takes fires at the moment, as far as is known. */
  readonly reachable: boolean
}

/** Fires with retries as feeds.md §5.2 and §5.3 say, over one client, for all subscriptions of a provider. */
export function createFirer(options: { client: HubClient; clock: Clock; random: Random; concurrency?: number }): Firer {
  const { client, clock, random } = options
  const gate = new Gate(options.concurrency ?? bounds.feeds.fireConcurrencyMax)
  const breaker = new Breaker(clock)
  const pauses = new Pauses(clock)

  async function fire(call: FireCall): Promise<FireResult> {
    const progress = new Progress(clock, call)
    for (let attempt = 1; ; attempt++) {
      await pauses.wait(call.trigger.namespace, call.signal)
      const outcome = await attemptOnce(call, attempt)
      if (outcome.class === 'success') return { kind: 'fired', status: outcome.status, attempts: attempt }
      if (outcome.class === 'permanent') {
        return refused(permanentReason(outcome.status), outcome, outcome.unsent ? attempt - 1 : attempt)
      }
      if (outcome.class === 'gone' && (await confirmedGone(call))) {
        return { kind: 'held', status: outcome.status, attempts: attempt }
      }
      const verdict = progress.after(outcome.class)
      if (verdict === 'hold') return { kind: 'held', status: outcome.status, attempts: attempt }
      if (verdict === 'give up') return refused('retries-exhausted', outcome, attempt)
      const askedMs = retryAfterMs(outcome.status, outcome.retryAfter, clock.nowMs())
      if (askedMs > 0) pauses.extend(call.trigger.namespace, askedMs)
      await clock.sleep(Math.max(delayMs(outcome.class, progress), askedMs), call.signal)
    }
  }

  /** Credential failures are looked at again over at least a minute, so that a hub's bad minute disables nobody (S2). */
  function delayMs(fireClass: FireClass, progress: Progress): number {
    if (fireClass !== 'credential') return backoffMs(progress.failures, random)
    const stepMs = bounds.feeds.credentialMs / bounds.feeds.credentialRetries
    return stepMs * (1 + random.fraction() / 2)
  }

  async function attemptOnce(call: FireCall, attempt: number): Promise<Outcome> {
    const auth = call.authKey()
    let leave = await gate.enter(call.signal)
    try {
      if (breaker.blocking) {
        // Whoever waits for the hub to come back must not take up a place.
        leave()
        await breaker.admit(call.signal)
        leave = await gate.enter(call.signal).catch((error: unknown) => {
          breaker.record('abandoned')
          throw error
        })
      }
      return await post(call, auth, attempt)
    } finally {
      leave()
    }
  }

  async function post(call: FireCall, auth: string, attempt: number): Promise<Outcome> {
    const { trigger } = call
    const request = call.request()
    if (request.bytes > bounds.feeds.payloadBytesMax) {
      breaker.record('abandoned')
      return { class: 'permanent', status: 413, answer: '', unsent: true }
    }
    const startMs = clock.monotonicMs()
    let sentAtMs = clock.nowMs()
    let outcome: Outcome
    try {
      outcome = outcomeOf(
        await client.fireTrigger(
          { namespace: trigger.namespace, name: trigger.trigger },
          {
            auth,
            headers: { ...request.headers, 'x-sluice-attempt': String(attempt) },
            body: request.body,
            totalMs: bounds.feeds.fireTimeoutMs,
            onSent: () => (sentAtMs = clock.nowMs()),
          },
        ),
      )
    } catch (error) {
      const failure = failureOf(error)
      outcome = { class: failure === 'connection' ? 'endpoint' : 'retryable', status: 0, answer: failure }
    }
    breaker.record(outcome.class === 'endpoint' ? 'endpoint' : outcome.status >= 500 ? 'failing' : 'answered')
    const durationMs = clock.monotonicMs() - startMs
    call.onAttempt?.({ class: outcome.class, status: outcome.status, attempt, sentAtMs, durationMs })
    return outcome
  }

  /** 404 and 410 are believed when the trigger's own route says so too (S3). */
  async function confirmedGone(call: FireCall): Promise<boolean> {
    try {
      const { namespace, trigger } = call.trigger
      const answer = await client.getTrigger(
        { namespace, name: trigger },
        { auth: call.authKey(), totalMs: bounds.feeds.authorityTimeoutMs },
      )
      return answer.status === 404 || answer.status === 410
    } catch {
      return false
    }
  }

  return {
    fire,
    get inFlight() {
      return gate.running
    },
    get reachable() {
      return !breaker.open
    },
  }
}

type Outcome = {
  readonly class: FireClass
  readonly status: number
  readonly answer: string
  readonly retryAfter?: string | string[]
  /** It was too large to be sent at all. */
  readonly unsent?: boolean
}

function outcomeOf(answer: Answer): Outcome {
  return {
    class: classOfStatus(answer.status),
    status: answer.status,
    answer: answer.text.slice(0, bounds.feeds.deadLetterAnswerBytesMax),
    retryAfter: answer.headers['retry-after'],
  }
}

function refused(reason: string, outcome: Outcome, attempts: number): FireResult {
  return { kind: 'refused', reason, status: outcome.status, attempts, answer: outcome.answer }
}

function permanentReason(status: number): string {
  return status === 413 ? 'payload-too-large' : `status-${status}`
}

/** Counts one event's failures by whose fault they are (R4, S2). */
class Progress {
  readonly #clock: Clock
  readonly #call: FireCall
  failures = 0
  #charged = 0
  #chargedSinceMs: number | undefined
  #unchargedSinceMs: number | undefined
  #credential = 0
  #credentialSinceMs = 0

  constructor(clock: Clock, call: FireCall) {
    this.#clock = clock
    this.#call = call
  }

  after(fireClass: FireClass): 'again' | 'give up' | 'hold' {
    const nowMs = this.#clock.monotonicMs()
    this.failures++
    if (fireClass === 'throttle' || fireClass === 'endpoint') {
      this.#unchargedSinceMs ??= nowMs
      return nowMs - this.#unchargedSinceMs >= bounds.feeds.uncountedElapsedMs ? 'give up' : 'again'
    }
    this.#unchargedSinceMs = undefined
    if (fireClass === 'credential') {
      if (this.#credential++ === 0) this.#credentialSinceMs = nowMs
      const enough = this.#credential > bounds.feeds.credentialRetries
      return enough && nowMs - this.#credentialSinceMs >= bounds.feeds.credentialMs ? 'hold' : 'again'
    }
    this.#credential = 0
    this.#charged++
    this.#chargedSinceMs ??= nowMs
    const elapsed = nowMs - this.#chargedSinceMs >= this.#call.maxRetryElapsedMs
    return elapsed || this.#charged >= this.#call.maxAttempts ? 'give up' : 'again'
  }
}
