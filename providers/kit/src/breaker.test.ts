import { setMaxListeners } from 'node:events'
import { manualClock } from '@sluice/core/contract'
import { expect, it } from 'vitest'
import { Breaker } from './breaker.ts'

const { signal } = new AbortController()
setMaxListeners(0, signal)

it('opens after five endpoint failures in a row, and lets one probe through after 5 s', async () => {
  const { breaker, clock, entered, enter } = setUp()
  for (let i = 0; i < 4; i++) breaker.record('endpoint')
  expect(breaker.open).toBe(false)
  breaker.record('endpoint')
  expect(breaker.open).toBe(true)
  enter(3)
  await clock.advance(4999)
  expect(entered()).toBe(0)
  await clock.advance(1)
  expect(entered()).toBe(1)
  await clock.advance(60_000)
  expect(entered()).toBe(1)
})

it('opens when most of at least twenty attempts fail within half a minute', () => {
  const { breaker } = setUp()
  for (let i = 0; i < 4; i++) breaker.record('answered')
  for (let i = 0; i < 15; i++) breaker.record('failing')
  expect(breaker.open).toBe(false)
  breaker.record('failing')
  expect(breaker.open).toBe(true)
})

it('forgets failures that are older than half a minute', async () => {
  const { breaker, clock } = setUp()
  for (let i = 0; i < 19; i++) breaker.record('failing')
  await clock.advance(31_000)
  breaker.record('failing')
  expect(breaker.open).toBe(false)
})

it('waits twice as long after each failed probe, up to a minute', async () => {
  const { breaker, clock, entered, enter } = setUp()
  for (let i = 0; i < 5; i++) breaker.record('endpoint')
  const waits: number[] = []
  for (let i = 0; i < 6; i++) {
    enter(1)
    const before = clock.monotonicMs()
    while (entered() === i) await clock.advance(1000)
    waits.push((clock.monotonicMs() - before) / 1000)
    breaker.record('endpoint')
  }
  expect(waits).toEqual([5, 10, 20, 40, 60, 60])
})

it('lets the waiters through at a bounded rate once a probe was answered', async () => {
  const { breaker, clock, entered, enter } = setUp()
  for (let i = 0; i < 5; i++) breaker.record('endpoint')
  enter(1000)
  await clock.advance(5000)
  breaker.record('answered')
  await clock.advance(1000)
  expect(entered()).toBeGreaterThan(190)
  expect(entered()).toBeLessThanOrEqual(202)
  await clock.advance(5000)
  expect(entered()).toBe(1000)
  expect(breaker.blocking).toBe(false)
})

it('sends another probe when the first was given up', async () => {
  const { breaker, clock, entered, enter } = setUp()
  for (let i = 0; i < 5; i++) breaker.record('endpoint')
  enter(2)
  await clock.advance(5000)
  breaker.record('abandoned')
  await clock.advance(0)
  expect(entered()).toBe(2)
})

it('lets go of a waiter whose signal aborts', async () => {
  const { breaker } = setUp()
  for (let i = 0; i < 5; i++) breaker.record('endpoint')
  const controller = new AbortController()
  const waiting = breaker.admit(controller.signal)
  controller.abort(new Error('closed'))
  await expect(waiting).rejects.toThrow('closed')
})

function setUp() {
  const clock = manualClock()
  const breaker = new Breaker(clock)
  let through = 0
  return {
    clock,
    breaker,
    entered: () => through,
    enter(count: number) {
      for (let i = 0; i < count; i++) void breaker.admit(signal).then(() => through++)
    },
  }
}
