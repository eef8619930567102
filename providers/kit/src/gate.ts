import type { Clock } from '@sluice/core/spi'

/** Lets at most `max` pieces of work go on at once; the others wait in order. */
export class Gate {
  readonly #max: number
  readonly #waiting = new Set<() => void>()
  #running = 0

  constructor(max: number) {
    this.#max = max
  }

  get running(): number {
    return this.#running
  }

  /** Resolves with how to leave again; rejects with the signal's reason. */
  enter(signal: AbortSignal): Promise<() => void> {
    if (signal.aborted) return Promise.reject(signal.reason as Error)
    if (this.#running < this.#max) return Promise.resolve(this.#admit())
    return new Promise((resolve, reject) => {
      const proceed = () => {
        signal.removeEventListener('abort', giveUp)
        resolve(this.#admit())
      }
      const giveUp = () => {
        this.#waiting.delete(proceed)
        reject(signal.reason as Error)
      }
      signal.addEventListener('abort', giveUp, { once: true })
      this.#waiting.add(proceed)
    })
  }

  #admit(): () => void {
    this.#running++
    let left = false
    return () => {
      if (left) return
      left = true
      this.#running--
      for (const proceed of this.#waiting) {
        this.#waiting.delete(proceed)
        proceed()
        return
      }
    }
  }
}

/** Remembers until when a namespace asked to be left alone (`Retry-After`, feeds.md R3). */
export class Pauses {
  readonly #clock: Clock
  readonly #untilMs = new Map<string, number>()

  constructor(clock: Clock) {
    this.#clock = clock
  }

  extend(namespace: string, ms: number): void {
    const untilMs = this.#clock.monotonicMs() + ms
    if (untilMs > (this.#untilMs.get(namespace) ?? 0)) this.#untilMs.set(namespace, untilMs)
  }

  /** Waits as long as the namespace is paused. Rejects with the signal's reason. */
  async wait(namespace: string, signal: AbortSignal): Promise<void> {
    for (;;) {
      const restMs = (this.#untilMs.get(namespace) ?? 0) - this.#clock.monotonicMs()
      if (restMs <= 0) {
        this.#untilMs.delete(namespace)
        return
      }
      await this.#clock.sleep(restMs, signal)
    }
  }
}
