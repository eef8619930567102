import { systemRandom } from '@sluice/core/spi'
import { expect, it } from 'vitest'
import { backoffMs, classOfStatus, retryAfterMs } from './retry.ts'

it('puts every answer into the class of the contract', () => {
  const classes: Record<string, number[]> = {
    success: [200, 202, 204],
    permanent: [301, 308, 400, 413, 414, 415, 422],
    credential: [401, 403],
    gone: [404, 410],
    throttle: [429],
    endpoint: [502, 503, 504],
    retryable: [408, 409, 421, 423, 425, 500, 501, 507, 418],
  }
  for (const [name, statuses] of Object.entries(classes)) {
    for (const status of statuses) expect([status, classOfStatus(status)]).toEqual([status, name])
  }
})

it('spreads the delays evenly from the floor up to the doubling ceiling', () => {
  for (const attempt of [1, 4, 12]) {
    const ceiling = Math.min(60_000, 1000 * 2 ** (attempt - 1))
    const count = 10_000
    const samples = Array.from({ length: count }, () => backoffMs(attempt, systemRandom)).sort((a, b) => a - b)
    // Largest distance to the uniform distribution; beyond 1.63/√n it is another one (Kolmogorov-Smirnov, p = 0.01).
    // Below the floor all lies on the floor.
    const distance = samples.reduce((most, sample, index) => {
      if (sample <= 100) return most
      return Math.max(most, Math.abs((index + 1) / count - sample / ceiling))
    }, 0)
    expect(distance).toBeLessThan(1.95 / Math.sqrt(count))
    expect(samples[0]).toBeGreaterThanOrEqual(100)
    expect(samples.at(-1)).toBeLessThanOrEqual(ceiling)
  }
})

it('[feed:DL12] reads Retry-After in seconds and as a date, within bounds, on 429 and 503 only', () => {
  const nowMs = Date.UTC(2030, 0, 1)
  expect(retryAfterMs(429, '30', nowMs)).toBe(30_000)
  expect(retryAfterMs(503, 'Tue, 01 Jan 2030 00:01:00 GMT', nowMs)).toBe(60_000)
  expect(retryAfterMs(503, 'Mon, 31 Dec 2029 00:00:00 GMT', nowMs)).toBe(0)
  expect(retryAfterMs(429, '99999', nowMs)).toBe(900_000)
  expect(retryAfterMs(500, '30', nowMs)).toBe(0)
  expect(retryAfterMs(429, 'soon', nowMs)).toBe(0)
})
