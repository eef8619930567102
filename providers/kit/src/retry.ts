import { bounds } from '@sluice/core/model'
import type { Random } from '@sluice/core/spi'

/** What an answer to a fire means (feeds.md R1). */
export type FireClass = 'success' | 'permanent' | 'credential' | 'gone' | 'throttle' | 'endpoint' | 'retryable'

const permanent = new Set([400, 413, 414, 415, 422])

export function classOfStatus(status: number): FireClass {
  if (status >= 200 && status < 300) return 'success'
  if ((status >= 300 && status < 400) || permanent.has(status)) return 'permanent'
  if (status === 401 || status === 403) return 'credential'
  if (status === 404 || status === 410) return 'gone'
  if (status === 429) return 'throttle'
  if (status === 502 || status === 503 || status === 504) return 'endpoint'
  return 'retryable'
}

/** Full jitter: uniform(0, min(60 s, 1 s·2^(n−1))), at least 100 ms, before the attempt after the n-th (R2). */
export function backoffMs(attempt: number, random: Random): number {
  const ceiling = Math.min(bounds.feeds.backoffMsMax, bounds.feeds.backoffBaseMs * 2 ** (attempt - 1))
  return Math.max(bounds.feeds.backoffFloorMs, random.fraction() * ceiling)
}

/** Milliseconds that a `Retry-After` of a 429 or 503 asks for, seconds or HTTP date, capped (R3); 0 without one. */
export function retryAfterMs(status: number, header: string | string[] | undefined, nowMs: number): number {
  const text = Array.isArray(header) ? header[0] : header
  if ((status !== 429 && status !== 503) || text === undefined) return 0
  const ms = /^\s*\d+\s*$/.test(text) ? Number(text) * 1000 : Date.parse(text) - nowMs
  return Number.isNaN(ms) ? 0 : Math.min(Math.max(ms, 0), bounds.feeds.retryAfterMsMax)
}
