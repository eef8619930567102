import type { Lease } from './pooled-container.ts'

/** A run that waits for a place. */
export type Job = {
  readonly sinceMs: number
  /** A caller waits for its answer; the others come from the bus. */
  readonly awaited: boolean
  settle: (lease: Lease) => void
  fail: (error: Error) => void
}

/**
 * The runs of one action that wait for a place, in order of arrival, but those that a caller waits for take turns with
 * those from the bus: a backlog there holds up no caller, and callers never keep it from shrinking.
 */
export class JobQueue {
  readonly #awaited: Job[] = []
  readonly #fromBus: Job[] = []
  #awaitedIsNext = true

  get length(): number {
    return this.#awaited.length + this.#fromBus.length
  }

  /** When the run came that has waited the longest, of the monotonic clock; undefined when none waits. */
  get oldestMs(): number | undefined {
    const first = this.#awaited[0]?.sinceMs
    const other = this.#fromBus[0]?.sinceMs
    return first === undefined || other === undefined ? (first ?? other) : Math.min(first, other)
  }

  push(job: Job): void {
    this.#laneOf(job).push(job)
  }

  shift(): Job | undefined {
    const awaited = this.#fromBus.length === 0 || (this.#awaitedIsNext && this.#awaited.length > 0)
    const job = (awaited ? this.#awaited : this.#fromBus).shift()
    if (job) this.#awaitedIsNext = !awaited
    return job
  }

  /** Puts back what was taken last and found no place after all. */
  unshift(job: Job): void {
    this.#laneOf(job).unshift(job)
    this.#awaitedIsNext = job.awaited
  }

  /** How many would be served before one more that a caller waits for. */
  aheadOfCaller(): number {
    const callers = this.#awaited.length
    return callers + Math.min(this.#fromBus.length, callers + 1)
  }

  /** Takes out all that no caller waits for. */
  takeFromBus(): Job[] {
    return this.#fromBus.splice(0)
  }

  /** Empties it. */
  takeAll(): Job[] {
    return [...this.#awaited.splice(0), ...this.#fromBus.splice(0)]
  }

  #laneOf({ awaited }: Job): Job[] {
    return awaited ? this.#awaited : this.#fromBus
  }
}
