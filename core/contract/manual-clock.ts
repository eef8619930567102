import type { Clock } from '../src/spi/index.ts'

/** A clock that stands still until a test moves it. Timers run in the order in which they are due. */
export type ManualClock = Clock & {
  /** Moves both clocks on and runs what becomes due; resolves when the promises that this settled have had their turn. */
  advance(ms: number): Promise<void>
  /** Steps the wall clock alone, as an operator or NTP does. */
  step(ms: number): void
}

export function manualClock(startMs = Date.UTC(2030, 0, 1)): ManualClock {
  let wallMs = startMs
  let monotonicMs = 0
  const timers = new Set<{ dueMs: number; fn: () => void }>()

  function setTimer(ms: number, fn: () => void): { cancel(): void } {
    const timer = { dueMs: monotonicMs + Math.max(0, ms), fn }
    timers.add(timer)
    return { cancel: () => void timers.delete(timer) }
  }

  return {
    nowMs: () => wallMs,
    monotonicMs: () => monotonicMs,
    setTimer,
    sleep: (ms, signal) =>
      new Promise((resolve, reject) => {
        const giveUp = () => {
          timer.cancel()
          reject(signal?.reason instanceof Error ? signal.reason : new Error('aborted'))
        }
        const timer = setTimer(ms, () => {
          signal?.removeEventListener('abort', giveUp)
          resolve()
        })
        if (signal?.aborted) giveUp()
        else signal?.addEventListener('abort', giveUp, { once: true })
      }),
    async advance(ms) {
      const endMs = monotonicMs + ms
      for (;;) {
        await settled()
        const due = [...timers].filter(({ dueMs }) => dueMs <= endMs).sort((a, b) => a.dueMs - b.dueMs)[0]
        if (!due) break
        timers.delete(due)
        wallMs += due.dueMs - monotonicMs
        monotonicMs = due.dueMs
        due.fn()
      }
      wallMs += endMs - monotonicMs
      monotonicMs = endMs
      await settled()
    },
    step: ms => void (wallMs += ms),
  }
}

/** Lets everything that is already settled run its course. */
export function settled(): Promise<void> {
  return new Promise(resolve => setImmediate(resolve))
}
