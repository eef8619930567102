import { manualClock } from '@sluice/core/contract'
import { systemRandom } from '@sluice/core/spi'
import { expect, it } from 'vitest'
import { testKeyRing, testState } from './contract/index.ts'
import { createDeadLetters } from './dead-letters.ts'

const cause = { reason: 'status-400', status: 400, attempts: 1, answer: 'because' }
const event = (id: string) => ({ id, source: 's', type: 't', timeMs: 1, recordedAtMs: 1, data: { id } })

it('keeps events encrypted, oldest first, over a restart', async () => {
  const { open, state, clock } = setUp()
  await open().add('ns:T', event('secret-1'), cause)
  await clock.advance(1)
  const letters = open()
  await letters.add('ns:T', event('secret-2'), cause)
  await letters.add('ns:Other', event('secret-3'), cause)
  expect(JSON.stringify(await state.dump(''))).not.toContain('secret')
  const list = await letters.list('ns:T', 10)
  expect(list.map(letter => letter.event.id)).toEqual(['secret-1', 'secret-2'])
  expect(list[0]).toMatchObject({ ...cause, event: event('secret-1') })
})

it('makes room for a new one by its number, its size and its age, and counts what went', async () => {
  const { open, clock } = setUp()
  const few = open({ count: 3, bytes: Infinity, ttlMs: Infinity })
  for (let index = 0; index < 5; index++) await few.add('ns:A', event(`${index}`), cause)
  expect((await few.list('ns:A', 10)).map(letter => letter.event.id)).toEqual(['2', '3', '4'])
  expect(few.evicted).toBe(2)
  const small = open({ count: 100, bytes: 500, ttlMs: Infinity })
  for (let index = 0; index < 5; index++) await small.add('ns:B', event(`${index}`), cause)
  expect((await small.list('ns:B', 10)).at(-1)?.event.id).toBe('4')
  expect((await small.list('ns:B', 10)).length).toBeLessThan(5)
  const brief = open({ count: 100, bytes: Infinity, ttlMs: 1000 })
  await brief.add('ns:C', event('old'), cause)
  await clock.advance(1000)
  await brief.add('ns:C', event('new'), cause)
  expect((await brief.list('ns:C', 10)).map(letter => letter.event.id)).toEqual(['new'])
})

it('drops all of a subscription that is deleted, and nothing else', async () => {
  const { open, state } = setUp()
  const letters = open()
  await letters.add('ns:T', event('1'), cause)
  await letters.add('ns:T2', event('2'), cause)
  await open().drop('ns:T')
  expect((await state.dump('')).map(({ key }) => key.split('/')[2])).toEqual(['ns:T2'])
})

function setUp() {
  const state = testState()
  const clock = manualClock()
  return {
    state,
    clock,
    open: (limits?: { count: number; bytes: number; ttlMs: number }) =>
      createDeadLetters({ state, provider: 'p', keyRing: testKeyRing(), clock, random: systemRandom, limits }),
  }
}
