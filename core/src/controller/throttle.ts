import type { IncomingMessage } from 'node:http'
import { ApiError, bounds, messages, type Identity, type SystemLimits } from '../model/index.ts'
import type { Clock, LoadBalancer, RateCounters } from '../spi/index.ts'
import { isCloudEvent } from './request-headers.ts'

/** Rates and concurrency of a namespace (rest-api.md §9.5). A namespace's own limits count in every profile. */
export interface Throttle {
  /** Counts one invocation. Throws 429, for the rate before the concurrency. */
  invoke(identity: Identity): void
  /** Counts a fire. Throws 429: to a sender of events with the time to come again, as the web hook specification asks;
   *  OpenWhisk's own clients get OpenWhisk's answer. */
  fire(identity: Identity, request: IncomingMessage): void
  /** Counts the events of a batch, of which one was counted as the request. Throws 413 for more than a minute takes, which
   *  no waiting helps, and 429 as `fire` does. */
  batch(identity: Identity, request: IncomingMessage, events: number): void
}

export function createThrottle(deps: {
  limits: SystemLimits
  rateCounters: RateCounters
  balancer: Pick<LoadBalancer, 'inFlight'>
  clock: Clock
}): Throttle {
  const { limits: system, rateCounters, balancer, clock } = deps

  function count(
    identity: Identity,
    operation: string,
    allowed: number | undefined,
    request?: IncomingMessage,
    events?: number,
  ): void {
    if (allowed === undefined) return
    const number = rateCounters.increment(`${identity.namespace.uuid}:${operation}`, events)
    if (number <= allowed) return
    const retryAfterSeconds =
      request && isCloudEvent(request) ? Math.ceil((minuteMs - (clock.nowMs() % minuteMs)) / 1000) : undefined
    throw new ApiError(429, messages.tooManyRequests(number, allowed), { retryAfterSeconds })
  }

  function firesPerMinute({ limits }: Identity): number | undefined {
    return limits.firesPerMinute ?? system.firesPerMinute
  }

  return {
    invoke(identity) {
      count(identity, 'invoke', identity.limits.invocationsPerMinute ?? system.invocationsPerMinute)
      const allowed = identity.limits.concurrentInvocations ?? system.concurrentInvocations
      if (allowed === undefined) return
      const inFlight = balancer.inFlight(identity.namespace.uuid)
      if (inFlight >= allowed) throw new ApiError(429, messages.tooManyConcurrent(inFlight, allowed))
    },
    fire(identity, request) {
      count(identity, 'fire', firesPerMinute(identity), request)
    },
    batch(identity, request, events) {
      const allowed = firesPerMinute(identity)
      if (allowed !== undefined && events > allowed) throw new ApiError(413, messages.batchOverRate(events, allowed))
      if (events > 1) count(identity, 'fire', allowed, request, events - 1)
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
