import { manualClock } from '@sluice/core/contract'
import { describe, expect, it, onTestFinished, vi } from 'vitest'
import type { AlarmConfig } from '../config.ts'
import { toSubscription } from '../subscription.ts'
import { createDriver } from './driver.ts'
import { newLedger } from './ledger.ts'
import { createPulse, type Pulse } from './pulse.ts'
import { Scheduler, type Decision } from './scheduler.ts'

const everySecond: AlarmConfig = { variant: 'cron', cron: '* * * * * *', payload: {} }
const operator = { alarmDelayLimit: 0, defaultStrict: false }

function manualPulse(): Pulse & { beat(): void } {
  let tick: (() => void) | undefined
  return { start: onTick => void (tick = onTick), stop: () => (tick = undefined), beat: () => tick?.() }
}

function driven(onDecisions?: (decisions: readonly Decision[], scheduler: Scheduler) => void) {
  const clock = manualClock()
  const scheduler = new Scheduler({ clock })
  const pulse = manualPulse()
  const seen: Decision[] = []
  const driver = createDriver({
    clock,
    scheduler,
    pulse,
    onDecisions: decisions => {
      seen.push(...decisions)
      onDecisions?.(decisions, scheduler)
    },
  })
  const arm = (id: string, sinceMs: number) =>
    scheduler.arm(toSubscription(id, 1, everySecond, 'T', operator), newLedger(clock.nowMs() - sinceMs))
  return { clock, scheduler, pulse, seen, driver, arm }
}

describe('the driver', () => {
  it('asks at each beat, and no more after its stop', async () => {
    const { clock, pulse, seen, driver, arm } = driven()
    driver.start()
    arm('s', 0)
    await clock.advance(1000)
    pulse.beat()
    await clock.advance(0)
    expect(seen).toHaveLength(1)
    driver.stop()
    arm('t', 5000)
    pulse.beat()
    driver.poke()
    await clock.advance(1000)
    expect(seen).toHaveLength(1)
  })

  it('goes on at once with what settling made due, also within the call', async () => {
    const { clock, seen, driver, arm } = driven((decisions, scheduler) => {
      for (const decision of decisions)
        if (decision.kind === 'fire') scheduler.settle(decision.id, decision.dueMs, 'fired')
      driver.poke()
    })
    driver.start()
    arm('s', 20_000)
    driver.poke()
    for (let turn = 0; turn < 25; turn++) await clock.advance(0)
    expect(seen).toHaveLength(20)
  })

  it('lets other work have its turn between slices', async () => {
    const { clock, seen, driver, arm } = driven()
    for (let n = 0; n < 1200; n++) arm(`s${n}`, 1000)
    driver.start()
    driver.poke()
    expect(seen).toHaveLength(500)
    for (let turn = 0; turn < 3; turn++) await clock.advance(0)
    expect(seen).toHaveLength(1200)
  })
})

describe('the pulse of node-cron', () => {
  function beating() {
    vi.useFakeTimers({ now: Date.parse('2030-01-01T12:00:00.300Z') })
    const clock = {
      nowMs: () => Date.now(),
      monotonicMs: () => performance.now(),
      sleep: () => Promise.resolve(),
      setTimer: (ms: number, fn: () => void) => {
        const timer = setTimeout(fn, ms)
        return { cancel: () => clearTimeout(timer) }
      },
    }
    const pulse = createPulse(clock)
    const beats: string[] = []
    pulse.start(() => beats.push(new Date().toISOString().slice(14, 23)))
    onTestFinished(() => {
      pulse.stop()
      vi.useRealTimers()
    })
    return { pulse, beats }
  }

  it('beats once a second, when the second begins', async () => {
    const { beats } = beating()
    await vi.advanceTimersByTimeAsync(3000)
    expect(beats).toEqual(['00:01.000', '00:02.000', '00:03.000'])
  })

  it('beats no more after its stop, which may come twice, and leaves no timer', async () => {
    const { pulse, beats } = beating()
    await vi.advanceTimersByTimeAsync(1000)
    pulse.stop()
    pulse.stop()
    expect(vi.getTimerCount()).toBe(0)
    await vi.advanceTimersByTimeAsync(60_000)
    expect(beats).toHaveLength(1)
  })

  it('is started again when the wall clock was set back an hour', async () => {
    const { beats } = beating()
    await vi.advanceTimersByTimeAsync(2000)
    vi.setSystemTime(Date.now() - 3_600_000)
    await vi.advanceTimersByTimeAsync(40_000)
    expect(beats.length).toBeGreaterThan(8)
    expect(beats.at(-1)?.startsWith('00:4')).toBe(true)
  })

  it('keeps two timers, whatever is armed', async () => {
    beating()
    await vi.advanceTimersByTimeAsync(5000)
    expect(vi.getTimerCount()).toBe(2)
  })
})
