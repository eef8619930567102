import { bounds } from '@sluice/core/model'
import type { Clock } from '@sluice/core/spi'

/** How a request that was let through ended: `endpoint`: the hub is not there (no answer, 502-504); `failing`: another
 *  5xx; `abandoned`: the caller gave up before there was an answer. */
export type PassResult = 'answered' | 'failing' | 'endpoint' | 'abandoned'

/**
 * Keeps fires away from a hub that is not there (feeds.md R5): 5 endpoint failures in a row, or 80 % failures of at
 * least 20 attempts in 30 s, open it for 5 s, doubling to 60 s; then one probe decides. After an outage fires start at a
 * bounded rate until everything that had to wait is through.
 */
export class Breaker {
  readonly #clock: Clock
  readonly #window: { atMs: number; bad: boolean }[] = []
  readonly #waiting = new Set<() => void>()
  #state: 'closed' | 'open' | 'half-open' | 'probing' | 'ramping' = 'closed'
  #openMs: number = bounds.feeds.breakerOpenMs
  #failuresInARow = 0
  #badInWindow = 0

  constructor(clock: Clock) {
    this.#clock = clock
  }

  /** True while nothing but probes gets through. */
  get open(): boolean {
    return this.#state === 'open' || this.#state === 'half-open' || this.#state === 'probing'
  }

  /** True while `admit` may have to wait. */
  get blocking(): boolean {
    return this.#state !== 'closed'
  }

  /** Resolves when a request may be sent: its end must be told to `record`. Rejects with the signal's reason. */
  admit(signal: AbortSignal): Promise<void> {
    if (signal.aborted) return Promise.reject(signal.reason as Error)
    if (this.#state === 'closed') return Promise.resolve()
    if (this.#state === 'half-open') {
      this.#state = 'probing'
      return Promise.resolve()
    }
    return new Promise((resolve, reject) => {
      const proceed = () => {
        signal.removeEventListener('abort', giveUp)
        resolve()
      }
      const giveUp = () => {
        this.#waiting.delete(proceed)
        reject(signal.reason as Error)
      }
      signal.addEventListener('abort', giveUp, { once: true })
      this.#waiting.add(proceed)
    })
  }

  record(result: PassResult): void {
    if (this.#state === 'probing') this.#judgeProbe(result)
    else if (this.#state === 'closed' || this.#state === 'ramping') this.#count(result)
  }

  #judgeProbe(result: PassResult): void {
    if (result === 'endpoint') {
      this.#trip(Math.min(this.#openMs * 2, bounds.feeds.breakerOpenMsMax))
    } else if (result === 'abandoned') {
      this.#probe()
    } else {
      this.#reset()
      this.#state = 'ramping'
      this.#ramp()
    }
  }

  #count(result: PassResult): void {
    if (result === 'abandoned') return
    const nowMs = this.#clock.monotonicMs()
    const bad = result !== 'answered'
    this.#failuresInARow = result === 'endpoint' ? this.#failuresInARow + 1 : 0
    this.#window.push({ atMs: nowMs, bad })
    if (bad) this.#badInWindow++
    while (this.#window.length > windowMax || (this.#window[0]?.atMs ?? nowMs) < nowMs - bounds.feeds.breakerWindowMs) {
      if (this.#window.shift()?.bad) this.#badInWindow--
    }
    const mostlyBad =
      this.#window.length >= bounds.feeds.breakerWindowMin &&
      this.#badInWindow >= this.#window.length * bounds.feeds.breakerRatio
    if (this.#failuresInARow >= bounds.feeds.breakerFailures || mostlyBad) this.#trip(bounds.feeds.breakerOpenMs)
  }

  #trip(openMs: number): void {
    this.#reset()
    this.#state = 'open'
    this.#openMs = openMs
    this.#clock.setTimer(openMs, () => this.#probe(), { unref: true })
  }

  /** One waiter goes ahead; with none, the next that comes. */
  #probe(): void {
    this.#state = this.#releaseOne() ? 'probing' : 'half-open'
  }

  #ramp(): void {
    if (this.#state !== 'ramping') return
    if (!this.#releaseOne()) {
      this.#state = 'closed'
      return
    }
    this.#clock.setTimer(1000 / bounds.feeds.rampPerSecond, () => this.#ramp(), { unref: true })
  }

  #releaseOne(): boolean {
    for (const proceed of this.#waiting) {
      this.#waiting.delete(proceed)
      proceed()
      return true
    }
    return false
  }

  #reset(): void {
    this.#window.length = 0
    this.#badInWindow = 0
    this.#failuresInARow = 0
  }
}

/** Attempts remembered at most, however many there are in 30 s. */
const windowMax = 1000
