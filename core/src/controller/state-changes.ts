import { bounds } from '../model/index.ts'
import type { Clock, StateStore, Timer } from '../spi/index.ts'

export type StateChange = { readonly key: string; readonly deleted: boolean }

/** What a watcher that polls is told: with `reset` it may have missed changes and reads everything again. */
export type ChangesAnswer = { readonly cursor: string; readonly changes: readonly StateChange[]; readonly reset?: true }

/** Remembers the last changes below a prefix for watchers that poll over HTTP. */
export class StateChanges {
  readonly #clock: Clock
  readonly #boot: string
  readonly #stopWatching: () => void
  readonly #waiting = new Set<() => void>()
  /** The change with number n lies at n - #first. */
  #changes: StateChange[] = []
  #first = 1

  /** `boot` tells this process's numbers from those of another. */
  constructor(options: { state: StateStore; prefix: string; clock: Clock; boot: string }) {
    this.#clock = options.clock
    this.#boot = options.boot
    this.#stopWatching = options.state.watch(options.prefix, change => {
      this.#changes.push(change)
      if (this.#changes.length > 2 * bounds.remoteState.watchBacklogMax) {
        this.#changes.splice(0, bounds.remoteState.watchBacklogMax)
        this.#first += bounds.remoteState.watchBacklogMax
      }
      for (const wake of [...this.#waiting]) wake()
    })
  }

  /** Changes after the cursor; waits for one, for a bounded time. Without a cursor tells where things stand, at once. */
  async after(cursor: string | undefined, prefix: string): Promise<ChangesAnswer> {
    if (cursor === undefined) return { cursor: this.#cursor(), changes: [] }
    const [boot, number] = cursor.split('.')
    const from = Number(number)
    if (boot !== this.#boot || !(from >= this.#first - 1 && from <= this.#last)) {
      return { cursor: this.#cursor(), changes: [], reset: true }
    }
    const untilMs = this.#clock.monotonicMs() + bounds.remoteState.watchWaitMs
    for (;;) {
      const changes = this.#changes.slice(from + 1 - this.#first).filter(({ key }) => key.startsWith(prefix))
      const restMs = untilMs - this.#clock.monotonicMs()
      if (changes.length > 0 || restMs <= 0) return { cursor: this.#cursor(), changes }
      await this.#nextChange(restMs)
      if (from < this.#first - 1) return { cursor: this.#cursor(), changes: [], reset: true }
    }
  }

  /** Lets everybody go who waits. */
  close(): void {
    this.#stopWatching()
    this.#first = Infinity
    for (const wake of [...this.#waiting]) wake()
  }

  #nextChange(ms: number): Promise<void> {
    return new Promise(resolve => {
      let timer: Timer | undefined = undefined
      const wake = () => {
        timer?.cancel()
        this.#waiting.delete(wake)
        resolve()
      }
      timer = this.#clock.setTimer(ms, wake, { unref: true })
      this.#waiting.add(wake)
    })
  }

  get #last(): number {
    return this.#first + this.#changes.length - 1
  }

  #cursor(): string {
    return `${this.#boot}.${this.#last}`
  }
}
