import { bounds } from '@sluice/core/model'
import { testLog, testState } from '@sluice/provider-kit/contract'
import { expect, it } from 'vitest'
import { newLedger, withIntent, withOutcome } from './engine/ledger.ts'
import { openJournal, type Line } from './journal.ts'

const line = (dueMs: number, subId = 'sub'): Line => ({
  subId,
  generation: 1,
  ledger: withOutcome(withIntent(newLedger(0), { dueMs, decidedMs: dueMs }), dueMs, 'fired'),
})

it('has after a crash what was flushed, and not what was not', async () => {
  const state = testState()
  const journal = await openJournal(state, testLog())
  journal.record('a', line(1))
  journal.record('b', line(1))
  await journal.flush()
  journal.record('a', line(2))
  journal.record('b', undefined)
  await journal.flush()
  journal.record('a', line(3))
  const again = await openJournal(state, testLog())
  expect(again.get('a')).toEqual(line(2))
  expect(again.get('b')).toBeUndefined()
})

it('writes one document for all that changed, and one more for all that changed meanwhile', async () => {
  const state = testState()
  const journal = await openJournal(state, testLog())
  for (let index = 0; index < 100; index++) journal.record(`a${index}`, line(1))
  const first = journal.flush()
  await Promise.resolve()
  const more = Array.from({ length: 10 }, (_, index) => {
    journal.record(`b${index}`, line(1))
    return journal.flush()
  })
  await Promise.all([first, ...more])
  expect(state.written.length).toBeLessThanOrEqual(2)
  expect((await openJournal(state, testLog())).size).toBe(110)
})

it('folds its documents into the ledgers, and reads the same afterwards', async () => {
  const state = testState()
  const journal = await openJournal(state, testLog())
  for (let round = 0; round < bounds.alarms.journalLinesMin + 10; round++) {
    journal.record(`a${round % 7}`, line(round))
    await journal.flush()
  }
  await journal.close()
  expect(await state.dump('alarms/journal/')).toEqual([])
  const again = await openJournal(state, testLog())
  for (let index = 0; index < 7; index++) expect(again.get(`a${index}`)).toEqual(journal.get(`a${index}`))
  again.record('a0', line(9999))
  await again.flush()
  expect((await openJournal(state, testLog())).get('a0')).toEqual(line(9999))
})

it('takes no document for new that was folded before the crash that kept it from being deleted', async () => {
  const state = testState()
  const journal = await openJournal(state, testLog())
  journal.record('a', line(1))
  await journal.flush()
  const old = await state.dump('alarms/journal/')
  journal.record('a', line(2))
  await journal.close()
  for (const { key, value } of old) await state.put(key, value)
  expect((await openJournal(state, testLog())).get('a')).toEqual(line(2))
})

it('keeps what it could not write, and writes it with the next', async () => {
  const state = testState()
  const journal = await openJournal(state, testLog())
  state.down = true
  journal.record('a', line(1))
  journal.record('b', line(1))
  await expect(journal.flush()).rejects.toMatchObject({ code: 'SLUICE_STORE_UNAVAILABLE' })
  journal.record('a', line(2))
  state.down = false
  await journal.flush()
  const again = await openJournal(state, testLog())
  expect([again.get('a'), again.get('b')]).toEqual([line(2), line(1)])
})

it('forgets the lines of subscriptions that are gone', async () => {
  const state = testState()
  const journal = await openJournal(state, testLog())
  journal.record('a', line(1))
  journal.record('b', line(1, 'other'))
  journal.retain((_id, { subId }) => subId === 'sub')
  await journal.close()
  expect((await openJournal(state, testLog())).size).toBe(1)
})
