import { setTimeout as sleepFor } from 'node:timers/promises'
import type { Clock } from './clock.ts'

/** The real clock. */
export const systemClock: Clock = {
  nowMs: () => Date.now(),
  monotonicMs: () => performance.now(),
  sleep: (ms, signal) => sleepFor(ms, undefined, signal ? { signal } : undefined),
  setTimer(ms, fn, options) {
    const timer = setTimeout(fn, ms)
    if (options?.unref) timer.unref()
    return { cancel: () => clearTimeout(timer) }
  },
}
