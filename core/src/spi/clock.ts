/** Time as the hub sees it. Durations, leases and limits use `monotonicMs`; wall time is for schedules and records. */
export interface Clock {
  /** Wall clock, epoch milliseconds; may step. */
  nowMs(): number
  /** Milliseconds from an arbitrary start, with fractions; never steps back. */
  monotonicMs(): number
  /** Resolves after `ms`; rejects with the signal's reason when it aborts first. */
  sleep(ms: number, signal?: AbortSignal): Promise<void>
  /** Calls `fn` once after `ms`. An `unref` timer does not keep the process alive. */
  setTimer(ms: number, fn: () => void, options?: { unref?: boolean }): Timer
}

export type Timer = { cancel(): void }
