import { describe, expect, it } from 'vitest'
import type { AlarmConfig } from '../config.ts'
import {
  cursorOf,
  ledgerAfterUpdate,
  newLedger,
  withDropped,
  withIntent,
  withoutIntent,
  withOutcome,
} from './ledger.ts'

const config: AlarmConfig = { variant: 'cron', cron: '* * * * *', payload: {} }
const settled = { ...newLedger(1000), doneMs: 5000, outcome: 'fired' as const, fired: 3 }

describe('the ledger', () => {
  it('lets other instants count from a change of the schedule on, and keeps the number of fires', () => {
    expect(ledgerAfterUpdate(settled, config, { ...config, cron: '0 * * * *' }, 9000)).toEqual({
      ...settled,
      fromMs: 9000,
    })
    expect(ledgerAfterUpdate(settled, config, { ...config, timezone: 'Europe/Berlin' }, 9000).fromMs).toBe(9000)
  })

  it('stays as it is when a change moves no instant', () => {
    expect(ledgerAfterUpdate(settled, config, { ...config, payload: { a: 1 }, catchUp: 'all' }, 9000)).toBe(settled)
  })

  it('never lets a settled instant count again, wherever the clock was at the change', () => {
    expect(cursorOf(ledgerAfterUpdate(settled, config, { ...config, cron: '0 * * * *' }, 2000))).toBe(5000)
  })

  it('moves from the intent to its outcome, and only for the instant of the intent', () => {
    const intent = withIntent(settled, { dueMs: 6000, decidedMs: 6001 })
    expect(cursorOf(intent)).toBe(6000)
    expect(withOutcome(intent, 7000, 'fired')).toBe(intent)
    expect(withOutcome(intent, 6000, 'fired')).toEqual({ ...settled, doneMs: 6000, fired: 4 })
    expect(withOutcome(intent, 6000, 'deadLettered')).toMatchObject({ doneMs: 6000, outcome: 'deadLettered', fired: 3 })
    expect(withoutIntent(intent, 6000)).toEqual(settled)
  })

  it('counts what was dropped and leaves it behind', () => {
    expect(withDropped(settled, 2, 8000)).toEqual({ ...settled, fromMs: 8000, dropped: 2 })
  })
})
