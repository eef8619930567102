import { expect, it } from 'vitest'
import { systemClock } from '../spi/index.ts'
import { createMinuteCounters } from './throttle.ts'

it("counts each key by the wall clock's minutes", () => {
  let nowMs = 59_999
  const counters = createMinuteCounters({ ...systemClock, nowMs: () => nowMs })
  expect([counters.increment('a'), counters.increment('a'), counters.increment('b')]).toEqual([1, 2, 1])
  nowMs = 60_000
  expect(counters.increment('a')).toBe(1)
  nowMs = 119_999
  expect(counters.increment('a')).toBe(2)
})
