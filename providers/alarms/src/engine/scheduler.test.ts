import { manualClock } from '@sluice/core/contract'
import { describe, expect, it } from 'vitest'
import type { AlarmConfig } from '../config.ts'
import { parseCreate, parseUpdate } from '../parameters/lifecycle.ts'
import { toSubscription } from '../subscription.ts'
import { ledgerAfterUpdate, newLedger, type Ledger } from './ledger.ts'
import { Scheduler, type Decision, type Settlement } from './scheduler.ts'

const minuteMs = 60_000
const operator = { alarmDelayLimit: 0, defaultStrict: false }

type Rig = ReturnType<typeof rig>

function rig(start = '2030-01-01T12:00:00Z') {
  const clock = manualClock(Date.parse(start))
  const scheduler = new Scheduler({ clock })
  const options = () => ({ ...operator, nowMs: clock.nowMs(), triggerName: 'T' })
  const seen: Decision[] = []

  function parse(variant: AlarmConfig['variant'], parameters: object): AlarmConfig {
    const parsed = parseCreate(variant, { ...parameters }, options())
    if ('error' in parsed) throw new Error(parsed.error)
    return parsed.config
  }
  function arm(config: AlarmConfig, ledger: Ledger = newLedger(clock.nowMs()), generation = 1, id = 's'): void {
    scheduler.arm(toSubscription(id, generation, config, 'T', operator), ledger)
  }
  /** Ticks until nothing is due, settling each fire at once; or, `never`, as a hub that does not answer. */
  function drain(settlement: Settlement | 'never' = 'never'): void {
    for (;;) {
      const { decisions, more } = scheduler.tick()
      seen.push(...decisions)
      for (const decision of decisions) {
        if (decision.kind === 'fire' && settlement !== 'never')
          scheduler.settle(decision.id, decision.dueMs, settlement)
      }
      if (decisions.length === 0 && !more) return
    }
  }
  /** Lets the seconds pass one by one, as the pulse does. */
  async function pass(ms: number, settlement: Settlement | 'never' = 'fired'): Promise<void> {
    for (let passed = 0; passed < ms; passed += 1000) {
      await clock.advance(1000)
      drain(settlement)
    }
  }
  const fires = () =>
    seen.flatMap(decision => (decision.kind === 'fire' ? [new Date(decision.dueMs).toISOString().slice(11, 19)] : []))
  const endings = () => seen.filter(decision => decision.kind === 'finish')
  return { clock, scheduler, seen, parse, arm, drain, pass, fires, endings, options }
}

function update(of: Rig, config: AlarmConfig, patch: object): AlarmConfig {
  const parsed = parseUpdate(config, { ...patch }, of.options())
  if ('error' in parsed) throw new Error(parsed.error)
  return parsed.config
}

describe('an interval', () => {
  it('fires half a minute after it was made, then on its grid [feed:A32]', async () => {
    const r = rig()
    r.arm(r.parse('interval', { minutes: 2 }))
    await r.pass(5 * minuteMs)
    expect(r.fires()).toEqual(['12:00:30', '12:02:30', '12:04:30'])
  })

  it('makes up one event for the points it missed, and goes on with the grid [feed:A34]', () => {
    const r = rig()
    const config = r.parse('interval', { minutes: 2, startDate: r.clock.nowMs() + 1000 })
    const doneMs = r.clock.nowMs() + 1000
    r.clock.step(7 * minuteMs)
    r.arm(config, { fromMs: doneMs - 1000, doneMs, outcome: 'fired', fired: 1, dropped: 0 })
    r.drain('fired')
    expect(r.seen).toMatchObject([
      { kind: 'drop', count: 2 },
      { kind: 'fire', missedCount: 3 },
    ])
    expect(r.fires()).toEqual(['12:06:01'])
    expect(new Date(r.scheduler.nextFireMs('s') ?? 0).toISOString()).toBe('2030-01-01T12:08:01.000Z')
  })

  it('ends after the last fire that fits [feed:A35]', async () => {
    const r = rig()
    const startDate = r.clock.nowMs() + minuteMs
    r.arm(r.parse('interval', { minutes: 1, startDate, stopDate: startDate + 100_000 }))
    await r.pass(5 * minuteMs)
    expect(r.fires()).toEqual(['12:01:00', '12:02:00'])
    const reason = 'Automatically disabled after firing last scheduled interval trigger'
    expect(r.endings()).toMatchObject([{ action: 'disable', reason }])
    expect(r.scheduler.counts.armed).toBe(0)
  })
})

describe('a cron', () => {
  it('ends after the last fire that fits', async () => {
    const r = rig()
    r.arm(r.parse('cron', { cron: '* * * * *', stopDate: r.clock.nowMs() + 2 * minuteMs }))
    await r.pass(4 * minuteMs)
    expect(r.fires()).toEqual(['12:01:00', '12:02:00'])
    expect(r.endings()).toMatchObject([{ reason: 'Automatically disabled after firing last scheduled cron trigger' }])
  })

  it('that is started again after its stop says so', () => {
    const r = rig()
    const config = r.parse('cron', { cron: '* * * * *', stopDate: r.clock.nowMs() + minuteMs })
    r.clock.step(3 * 24 * 60 * minuteMs)
    r.arm(config)
    r.drain('fired')
    expect(r.endings()).toMatchObject([{ reason: 'the stop date has expired' }])
  })

  it('whose next fire is after its stop says so', () => {
    const r = rig()
    const config = r.parse('cron', { cron: '0 13 * * *', stopDate: r.clock.nowMs() + 90 * minuteMs })
    r.clock.step(70 * minuteMs)
    r.arm(config)
    r.drain('fired')
    expect(r.endings()).toMatchObject([{ reason: 'the next scheduled trigger fire is after the stop date' }])
  })

  it('has exactly maxTriggers successful fires, over a restart and with a slow hub [feed:A51]', async () => {
    const r = rig()
    const config = r.parse('cron', { cron: '* * * * * *', maxTriggers: 3 })
    r.arm(config)
    await r.pass(5000, 'never')
    expect(r.fires()).toEqual(['12:00:01'])
    r.scheduler.settle('s', r.clock.nowMs() - 4000, 'fired')
    const stored = JSON.parse(JSON.stringify(r.scheduler.ledger('s'))) as Ledger

    const again = rig('2030-01-01T12:00:06Z')
    again.arm(config, stored)
    expect(again.scheduler.triggersLeft('s')).toBe(2)
    await again.pass(10_000)
    expect(again.fires()).toEqual(['12:00:02', '12:00:03'])
    expect(again.endings()).toMatchObject([{ reason: 'Automatically disabled after reaching max triggers' }])
  })

  it('counts only successful fires towards maxTriggers', async () => {
    const r = rig()
    r.arm(r.parse('cron', { cron: '* * * * * *', maxTriggers: 1 }))
    await r.pass(2000, 'deadLettered')
    await r.pass(3000)
    expect(r.fires()).toEqual(['12:00:01', '12:00:02', '12:00:03'])
  })

  it('that was deleted before its start never fires [feed:A52]', async () => {
    const r = rig()
    r.arm(r.parse('cron', { cron: '* * * * * *', startDate: r.clock.nowMs() + 10 * minuteMs }))
    r.drain()
    r.scheduler.disarm('s')
    await r.pass(11 * minuteMs)
    expect(r.seen).toEqual([])
  })

  it('that was changed before its start fires each instant once [feed:A53]', async () => {
    const r = rig()
    const config = r.parse('cron', { cron: '*/2 * * * * *', startDate: r.clock.nowMs() + 10_000 })
    const ledger = newLedger(r.clock.nowMs())
    r.arm(config, ledger)
    await r.pass(5000)
    const changed = update(r, config, { cron: '* * * * * *' })
    r.arm(changed, ledgerAfterUpdate(ledger, config, changed, r.clock.nowMs()), 2)
    await r.pass(8000)
    expect(r.fires()).toEqual(['12:00:10', '12:00:11', '12:00:12', '12:00:13'])
    expect(new Set(r.seen.map(({ generation }) => generation))).toEqual(new Set([2]))
  })

  it('does not fire on an excluded day [feed:A69]', async () => {
    const r = rig('2030-01-01T23:59:57Z')
    r.arm(r.parse('cron', { cron: '* * * * * *', exclusionDates: ['2030-01-02'] }))
    await r.pass(10_000)
    expect(r.fires()).toEqual(['23:59:58', '23:59:59'])
    expect(new Date(r.scheduler.nextFireMs('s') ?? 0).toISOString()).toBe('2030-01-03T00:00:00.000Z')
  })

  it('with jitter fires later, for the same instants', async () => {
    const r = rig()
    const config = r.parse('cron', { cron: '* * * * *', jitter: 50 })
    const { jitterMs } = toSubscription('s', 1, config, 'T', operator)
    expect(jitterMs).toBeGreaterThan(0)
    r.arm(config)
    await r.pass(minuteMs + jitterMs - 1000)
    expect(r.fires()).toEqual([])
    await r.pass(1000)
    expect(r.fires()).toEqual(['12:01:00'])
  })

  it('with jitter waits for it also when it was armed after the instant', async () => {
    const r = rig()
    const config = r.parse('cron', { cron: '0 * * * *', jitter: 50 })
    const { jitterMs } = toSubscription('s', 1, config, 'T', operator)
    r.arm(config, newLedger(r.clock.nowMs() - 1))
    r.drain()
    expect(r.fires()).toEqual([])
    await r.pass(jitterMs)
    expect(r.fires()).toEqual(['12:00:00'])
  })
})

describe('a once', () => {
  const once = (r: Rig, parameters: object = {}) => r.parse('once', { date: r.clock.nowMs() + minuteMs, ...parameters })

  it('fires and is disabled', async () => {
    const r = rig()
    r.arm(once(r))
    await r.pass(2 * minuteMs)
    expect(r.fires()).toEqual(['12:01:00'])
    expect(r.endings()).toMatchObject([{ action: 'disable', reason: 'Automatically disabled after firing once' }])
  })

  it('takes its trigger with it, and the rules only if that was asked [feed:A41] [feed:A42]', async () => {
    for (const [deleteAfterFire, rules] of [['true', false] as const, ['rules', true] as const]) {
      const r = rig()
      r.arm(once(r, { deleteAfterFire }))
      await r.pass(2 * minuteMs)
      expect(r.endings()).toMatchObject([{ action: 'delete', rules }])
    }
  })

  it('deletes nothing before it was fired [feed:A43]', async () => {
    const r = rig()
    r.arm(once(r, { deleteAfterFire: true }))
    await r.pass(6 * minuteMs, 'never')
    expect([r.fires(), r.endings()]).toEqual([['12:01:00'], []])
    r.scheduler.settle('s', Date.parse('2030-01-01T12:01:00Z'), 'fired')
    r.drain()
    expect(r.endings()).toMatchObject([{ action: 'delete' }])
  })

  it('that ended as a dead letter is disabled, not deleted [feed:A44]', async () => {
    const r = rig()
    r.arm(once(r, { deleteAfterFire: true }))
    await r.pass(2 * minuteMs, 'deadLettered')
    const reason = 'Automatically disabled: the event was dead-lettered'
    expect(r.endings()).toMatchObject([{ action: 'disable', reason }])
  })

  it('that was missed fires late, for its date [feed:A45]', () => {
    const r = rig()
    const config = once(r)
    const ledger = newLedger(r.clock.nowMs())
    r.clock.step(11 * minuteMs)
    r.arm(config, ledger)
    r.drain('fired')
    expect(r.fires()).toEqual(['12:01:00'])
  })

  it('that was missed by more than its grace has expired [feed:A46]', () => {
    const r = rig()
    const config = once(r)
    const ledger = newLedger(r.clock.nowMs())
    r.clock.step(2 * 24 * 60 * minuteMs)
    r.arm(config, ledger)
    r.drain('fired')
    expect(r.fires()).toEqual([])
    expect(r.endings()).toMatchObject([{ action: 'disable', reason: 'the fire once date has expired' }])
  })

  it('whose process died between done and deletion is deleted at the next start', () => {
    const r = rig()
    const config = once(r, { deleteAfterFire: true })
    const doneMs = r.clock.nowMs() + minuteMs
    r.arm(config, { fromMs: 0, doneMs, outcome: 'fired', fired: 1, dropped: 0 })
    r.drain()
    expect(r.seen).toMatchObject([{ kind: 'finish', action: 'delete' }])
  })
})

describe('when the clock is set', () => {
  const everyMinute = async (r: Rig) => {
    r.arm(r.parse('cron', { cron: '* * * * *' }))
    await r.pass(2 * minuteMs)
  }

  it('back, nothing fires twice, and what was made since fires in time [feed:A61]', async () => {
    const r = rig()
    await everyMinute(r)
    r.clock.step(-60 * minuteMs)
    r.arm(r.parse('cron', { cron: '0 * * * * *' }), newLedger(r.clock.nowMs()), 1, 'new')
    await r.pass(62 * minuteMs)
    const ofOld = r.seen.flatMap(decision => (decision.kind === 'fire' && decision.id === 's' ? [decision.dueMs] : []))
    expect(ofOld).toEqual([...new Set(ofOld)])
    expect(ofOld.map(ms => new Date(ms).toISOString().slice(11, 16))).toEqual(['12:01', '12:02', '12:03', '12:04'])
    expect(r.seen.filter(({ id }) => id === 'new')).toHaveLength(62)
    expect(r.scheduler.counts.clockSteps).toBe(1)
  })

  it('forward, one event is made up, and the next fire is right [feed:A62]', async () => {
    const r = rig()
    await everyMinute(r)
    r.clock.step(60 * minuteMs)
    await r.pass(2 * minuteMs)
    expect(r.fires()).toEqual(['12:01:00', '12:02:00', '13:02:00', '13:03:00', '13:04:00'])
    expect(r.scheduler.counts.clockSteps).toBe(1)
  })
})

describe('while an earlier instant is not settled', () => {
  it('newer ones wait; those within the grace all fire afterwards', async () => {
    const r = rig()
    r.arm(r.parse('cron', { cron: '* * * * * *' }))
    await r.pass(30_000, 'never')
    expect(r.fires()).toEqual(['12:00:01'])
    r.scheduler.settle('s', Date.parse('2030-01-01T12:00:01Z'), 'fired')
    r.drain('fired')
    expect(r.fires()).toHaveLength(30)
    expect(r.seen.every(({ kind }) => kind === 'fire')).toBe(true)
  })

  it('those that get old are thinned, so that no backlog builds up', async () => {
    const r = rig()
    r.arm(r.parse('cron', { cron: '* * * * * *' }))
    await r.pass(600_000, 'never')
    r.scheduler.settle('s', Date.parse('2030-01-01T12:00:01Z'), 'fired')
    r.drain('fired')
    const [, drop, fire] = r.seen
    expect(drop).toMatchObject({ kind: 'drop', count: 539 })
    expect(fire).toMatchObject({ kind: 'fire', missedCount: 540 })
    expect(r.fires()).toHaveLength(61)
    expect(r.scheduler.ledger('s')).toMatchObject({ dropped: 539, fired: 61 })
  })

  it('a change of the subscription leaves the fire under way, and only then goes on', async () => {
    const r = rig()
    const config = r.parse('cron', { cron: '* * * * *' })
    r.arm(config)
    await r.pass(minuteMs, 'never')
    const changed = update(r, config, { trigger_payload: 'new' })
    r.arm(changed, r.scheduler.ledger('s'), 2)
    await r.pass(minuteMs, 'never')
    expect(r.fires()).toEqual(['12:01:00'])
    r.scheduler.settle('s', Date.parse('2030-01-01T12:01:00Z'), 'fired')
    r.drain('fired')
    expect(r.fires()).toEqual(['12:01:00', '12:02:00'])
  })
})

describe('after a crash', () => {
  it('an intent without done is fired again as it was, whatever the rules say', () => {
    const r = rig()
    const config = r.parse('cron', { cron: '* * * * *', catchUp: 'none' })
    const intent = {
      dueMs: r.clock.nowMs() - 600 * minuteMs,
      missedCount: 4,
      decidedMs: r.clock.nowMs() - 599 * minuteMs,
    }
    r.arm(config, { fromMs: intent.dueMs - 1, intent, fired: 7, dropped: 0 })
    r.drain('fired')
    expect(r.seen[0]).toMatchObject({ kind: 'fire', repeated: true, ...intent })
    expect(r.scheduler.ledger('s')).toMatchObject({ fired: 8 + r.fires().length - 1 })
    expect(r.scheduler.ledger('s')?.intent).toBeUndefined()
  })

  it('a ledger from before the crash neither loses nor doubles an instant', async () => {
    const r = rig()
    const config = r.parse('cron', { cron: '*/10 * * * * *' })
    r.arm(config)
    await r.pass(25_000)
    const stored = JSON.parse(JSON.stringify(r.scheduler.ledger('s'))) as Ledger
    const again = rig('2030-01-01T12:00:47Z')
    again.arm(config, stored)
    await again.pass(5000)
    expect([...r.fires(), ...again.fires()]).toEqual(['12:00:10', '12:00:20', '12:00:30', '12:00:40', '12:00:50'])
  })
})

describe('the scheduler', () => {
  it('decides an instant anew when it could not be sent', async () => {
    const r = rig()
    r.arm(r.parse('cron', { cron: '* * * * *' }))
    await r.pass(minuteMs, 'later')
    expect(r.fires()).toEqual(['12:01:00'])
    expect(r.scheduler.ledger('s')?.intent).toBeUndefined()
    await r.pass(1000)
    expect(r.fires()).toEqual(['12:01:00', '12:01:00'])
  })

  it('takes no settlement of an instant that is not under way', async () => {
    const r = rig()
    r.arm(r.parse('cron', { cron: '* * * * *' }))
    await r.pass(minuteMs, 'never')
    r.scheduler.settle('s', r.clock.nowMs() - minuteMs, 'fired')
    r.scheduler.settle('other', r.clock.nowMs(), 'fired')
    expect(r.scheduler.isFiring('s')).toBe(true)
  })

  it('switches off a subscription that makes it fail, and goes on with the others', () => {
    const r = rig()
    const config = r.parse('cron', { cron: '* * * * *' })
    const broken = () => {
      throw new Error('no such zone')
    }
    r.scheduler.arm({ id: 'broken', generation: 1, config, timetable: { next: broken }, jitterMs: 0 }, newLedger(0))
    r.arm(config, newLedger(r.clock.nowMs() - minuteMs))
    r.drain('fired')
    const reason = 'Automatically disabled after receiving error on trigger initialization: Error: no such zone'
    expect(r.endings()).toMatchObject([{ id: 'broken', reason }])
    expect(r.fires()).toEqual(['12:00:00'])
  })

  it('decides for thousands in slices, and for each once', () => {
    const r = rig()
    const config = r.parse('cron', { cron: '* * * * *' })
    for (let n = 0; n < 2000; n++) r.arm(config, newLedger(r.clock.nowMs() - 1), 1, `s${n}`)
    const first = r.scheduler.tick()
    expect(first.more).toBe(true)
    expect(first.decisions.length).toBeLessThan(2000)
    r.seen.push(...first.decisions)
    r.drain()
    expect(new Set(r.seen.map(({ id }) => id)).size).toBe(2000)
    expect(r.seen).toHaveLength(2000)
  })

  it('does not keep the places of subscriptions that were armed anew', () => {
    const r = rig()
    const config = r.parse('cron', { cron: '0 0 1 1 *' })
    for (let n = 0; n < 5000; n++) {
      r.arm(config, newLedger(r.clock.nowMs()), n)
      r.drain()
    }
    expect(r.scheduler.counts).toMatchObject({ armed: 1, waiting: expect.any(Number) })
    expect(r.scheduler.counts.waiting).toBeLessThan(1100)
  })

  it('finds nobody left behind in its audit', async () => {
    const r = rig()
    r.arm(r.parse('cron', { cron: '* * * * *' }))
    r.arm(r.parse('interval', { minutes: 7 }), newLedger(r.clock.nowMs()), 1, 'i')
    await r.pass(10 * minuteMs)
    expect(r.scheduler.counts.rearmed).toBe(0)
  })
})
