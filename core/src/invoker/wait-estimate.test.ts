import { describe, expect, it } from 'vitest'
import { servedWithin } from './wait-estimate.ts'

describe('how many waiting runs get a place in time', () => {
  it.each([
    ['nothing is known', { runMs: undefined, agesMs: [], idle: 2 }, Infinity],
    ['one place is just taken', { runMs: 1000, agesMs: [0], idle: 0 }, 5],
    ['one place is half through', { runMs: 1000, agesMs: [500], idle: 0 }, 5],
    ['all take longer than that', { runMs: 12_000, agesMs: [0, 0, 0], idle: 0 }, 0],
    ['some are nearly through', { runMs: 12_000, agesMs: [0, 7500, 11_000], idle: 0 }, 2],
    ['places can be made', { runMs: 12_000, agesMs: [0, 0], idle: 2 }, 2],
    ['one hangs beside quick ones', { runMs: 100, agesMs: [0, 60_000], idle: 0 }, 50],
    ['what runs is older than its usual time', { runMs: 10, agesMs: [6000], idle: 0 }, 0],
    ['others hold all places', { runMs: 1000, agesMs: [], idle: 0 }, 5],
  ])('%s', (_case, places, expected) => {
    expect(servedWithin(5000, { readyMs: 100, ...places })).toBe(expected)
  })
})
