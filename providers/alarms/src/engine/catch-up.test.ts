import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import type { CatchUpRules } from '../config.ts'
import type { Timetable } from '../timetable.ts'
import { planNext } from './catch-up.ts'

const minuteMs = 60_000
const defaults: CatchUpRules = { catchUp: 'latest', windowMs: 60 * minuteMs, max: 100, graceMs: minuteMs }
const noon = Date.parse('2030-01-01T12:00:00Z')

function every(periodMs: number): Timetable {
  return { next: afterMs => (Math.floor(afterMs / periodMs) + 1) * periodMs }
}

function at(instants: readonly number[]): Timetable {
  const sorted = [...instants].sort((a, b) => a - b)
  return { next: afterMs => sorted.find(instant => instant > afterMs) }
}

/** Plans until nothing is due, as if each fire were settled at once. */
function run(timetable: Timetable, cursorMs: number, nowMs: number, rules: Partial<CatchUpRules>) {
  const fired: number[] = []
  let dropped = 0
  for (let plan = planNext(timetable, cursorMs, nowMs, { ...defaults, ...rules }); ;) {
    dropped += plan.dropped
    if (!plan.fire) return { fired, dropped, nextMs: plan.nextMs }
    fired.push(plan.fire.dueMs)
    plan = planNext(timetable, plan.fire.dueMs, nowMs, { ...defaults, ...rules })
  }
}

describe('after a downtime of 90 minutes, of an alarm for every minute', () => {
  const cursorMs = noon - 90 * minuteMs

  it('all fires those in the window of an hour, in order, and drops the others [feed:A60]', () => {
    const { fired, dropped, nextMs } = run(every(minuteMs), cursorMs, noon, { catchUp: 'all' })
    expect(fired).toEqual(Array.from({ length: 60 }, (_, n) => noon - (59 - n) * minuteMs))
    expect(dropped).toBe(30)
    expect(nextMs).toBe(noon + minuteMs)
  })

  it('latest fires one event for the most recent missed instant [feed:A60]', () => {
    expect(run(every(minuteMs), cursorMs, noon, {})).toMatchObject({ fired: [noon], dropped: 89 })
    expect(planNext(every(minuteMs), cursorMs, noon, defaults).fire).toEqual({ dueMs: noon, missedCount: 90 })
  })

  it('none fires only what was missed by less than the grace [feed:A60]', () => {
    expect(run(every(minuteMs), cursorMs, noon + 1000, { catchUp: 'none' })).toMatchObject({
      fired: [noon],
      dropped: 89,
    })
    const late = { catchUp: 'none' as const, graceMs: 0 }
    expect(run(every(minuteMs), cursorMs, noon + 1000, late)).toMatchObject({ fired: [], dropped: 90 })
  })
})

describe('the catch-up rules', () => {
  it('leave an instant alone that is only a little late', () => {
    expect(planNext(every(minuteMs), noon - 1, noon + 59_000, defaults)).toEqual({ fire: { dueMs: noon }, dropped: 0 })
  })

  it('take an instant missed by exactly the grace for an old one', () => {
    const none = { ...defaults, catchUp: 'none' as const }
    expect(planNext(at([noon]), 0, noon + minuteMs, none)).toMatchObject({ dropped: 1 })
    expect(planNext(at([noon]), 0, noon + minuteMs - 1, none)).toMatchObject({ fire: { dueMs: noon }, dropped: 0 })
  })

  it('fire every instant within the grace, one after the other', () => {
    const { fired, dropped } = run(every(1000), noon - 20_000, noon, { catchUp: 'none' })
    expect([fired.length, dropped]).toEqual([20, 0])
  })

  it('never fire what is older than the window', () => {
    const daily = every(24 * 60 * minuteMs)
    const midnight = noon - 12 * 60 * minuteMs
    for (const catchUp of ['latest', 'all'] as const) {
      expect(run(daily, midnight - 1, noon, { catchUp })).toMatchObject({ fired: [], dropped: 1 })
    }
    const wide = { windowMs: 13 * 60 * minuteMs }
    expect(run(daily, midnight - 1, noon, wide)).toMatchObject({ fired: [midnight], dropped: 0 })
  })

  it('make up at most catchUpMax instants, the newest', () => {
    const { fired, dropped } = run(every(minuteMs), noon - 50 * minuteMs, noon + 1, {
      catchUp: 'all',
      max: 10,
      graceMs: 0,
    })
    expect(fired).toEqual(Array.from({ length: 10 }, (_, n) => noon - (9 - n) * minuteMs))
    expect(dropped).toBe(40)
  })

  it('look at a bounded number of instants, however many were missed', () => {
    const week = 7 * 24 * 60 * minuteMs
    for (const catchUp of ['none', 'latest', 'all'] as const) {
      let asked = 0
      const { next } = every(1000)
      const counted = { next: (afterMs: number) => (asked++, next(afterMs)) }
      const { fire } = planNext(counted, noon - week, noon, { ...defaults, catchUp, windowMs: week, graceMs: 1000 })
      expect(fire?.dueMs).toBe(catchUp === 'all' ? noon - 100_000 : noon)
      expect(asked, catchUp).toBeLessThan(5000)
    }
  })

  it('agree with going through all instants', () => {
    const instants = fc.uniqueArray(fc.integer({ min: 1, max: 400 }), { maxLength: 60 })
    const rule = fc.constantFrom('none' as const, 'latest' as const, 'all' as const)
    fc.assert(
      fc.property(
        instants,
        rule,
        fc.constantFrom(300_000, 300_500),
        fc.nat(120),
        fc.nat(300),
        fc.integer({ min: 1, max: 20 }),
        (list, catchUp, nowMs, grace, window, max) => {
          const seconds = list.map(n => n * 1000)
          const missed = seconds.filter(s => s <= nowMs).sort((a, b) => a - b)
          const fresh = missed.filter(s => s > nowMs - grace * 1000)
          const inWindow = missed.filter(s => s > nowMs - window * 1000 && !fresh.includes(s))
          const latest = fresh.length > 0 ? [] : inWindow.slice(-1)
          const older = catchUp === 'none' ? [] : catchUp === 'latest' ? latest : inWindow.slice(-max)
          const rules = { catchUp, graceMs: grace * 1000, windowMs: window * 1000, max }
          const ran = run(at(seconds), 0, nowMs, rules)
          expect(ran.fired).toEqual([...older, ...fresh])
          expect(ran.dropped).toBe(missed.length - ran.fired.length)
          expect(ran.nextMs).toBe(at(seconds).next(nowMs))
        },
      ),
      { numRuns: 500 },
    )
  })
})
