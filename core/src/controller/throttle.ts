import { ApiError, bounds, messages, type Identity, type SystemLimits } from '../model/index.ts'
import type { Clock, LoadBalancer, RateCounters } from '../spi/index.ts'

/** Rates and concurrency of a namespace (rest-api.md §9.5). A namespace's own limits count in every profile. */
export interface Throttle {
  /** Counts one invocation. Throws 429, for the rate before the concurrency. */
  invoke(identity: Identity): void
  /** Counts fires. Throws 429. */
  fire(identity: Identity, how?: FireCount): void
}

export type FireCount = {
  /** Events that the request brings, 1 unless told. */
  readonly events?: number
  /** To a sender of events a refusal says when to come again, as the web hook specification asks; OpenWhisk's own
   *  clients get OpenWhisk's answer. */
  readonly delivery?: boolean
}

export function createThrottle(deps: {
  limits: SystemLimits
  rateCounters: RateCounters
  balancer: Pick<LoadBalancer, 'inFlight'>
  clock: Clock
}): Throttle {
  const { limits: system, rateCounters, balancer, clock } = deps

  function count(identity: Identity, operation: string, allowed: number | undefined, how: FireCount = {}): void {
    if (allowed === undefined) return
    const number = rateCounters.increment(`${identity.namespace.uuid}:${operation}`, how.events)
    if (number <= allowed) return
    const retryAfterSeconds = how.delivery ? Math.ceil((minuteMs - (clock.nowMs() % minuteMs)) / 1000) : undefined
    throw new ApiError(429, messages.tooManyRequests(number, allowed), { retryAfterSeconds })
  }

  return {
    invoke(identity) {
      count(identity, 'invoke', identity.limits.invocationsPerMinute ?? system.invocationsPerMinute)
      const allowed = identity.limits.concurrentInvocations ?? system.concurrentInvocations
      if (allowed === undefined) return
      const inFlight = balancer.inFlight(identity.namespace.uuid)
      if (inFlight >= allowed) throw new ApiError(429, messages.tooManyConcurrent(inFlight, allowed))
    },
    fire(identity, how) {
      count(identity, 'fire', identity.limits.firesPerMinute ?? system.firesPerMinute, how)
    },
  }
}

const minuteMs = 60_000

/** Counts in this process, in windows aligned to the wall clock's minutes. */
export function createMinuteCounters(clock: Clock): RateCounters {
  let counts = new Map<string, number>()
  let minute = -1
  return {
    increment(key, by = 1) {
      const now = Math.floor(clock.nowMs() / minuteMs)
      // Beyond the bound the window starts over: that is generous for a minute, never a refusal for want of memory.
      if (now !== minute || counts.size >= bounds.api.rateKeysMax) {
        minute = now
        counts = new Map()
      }
      const count = (counts.get(key) ?? 0) + by
      counts.set(key, count)
      return count
    },
  }
}
