import { expect, it } from 'vitest'
import { manualClock } from '../../contract/manual-clock.ts'
import { openMemoryBackend } from '../backend/memory/index.ts'
import { bounds } from '../model/index.ts'
import { systemRandom } from '../spi/index.ts'
import { createFireIdentities } from './fire-identities.ts'

it('forgets the expired and the oldest above the number, many in one step, a pause between the steps', async () => {
  const clock = manualClock()
  const { state } = openMemoryBackend({ clock, random: systemRandom })
  const identities = createFireIdentities(state, clock, 100)
  for (let at = 0; at < 1200; at++) await identities.remember('many', `old${at}`, 'd', true)
  await clock.advance(bounds.fire.identityTtlMs + 1)
  for (let at = 0; at < 150; at++) {
    await identities.remember('many', `id${at}`, 'd', true)
    if (at % 40 === 0) await clock.advance(60_000)
  }
  for (let at = 0; at < 90; at++) await identities.remember('few', `id${at}`, 'd', true)

  let underWay = 0
  let most = 0
  const remove = state.delete.bind(state)
  state.delete = async (...args) => {
    most = Math.max(most, ++underWay)
    await new Promise(done => setImmediate(done))
    underWay--
    return remove(...args)
  }
  const sleeps: number[] = []
  clock.sleep = async ms => void sleeps.push(ms)

  expect(await identities.prune()).toBe(1250)
  expect(most).toBe(bounds.store.pruneBatch)
  expect(sleeps.length).toBeGreaterThanOrEqual(6)
  const left = async (prefix: string) => (await state.scan({ prefix: `identities/${prefix}/`, limit: 1000 })).length
  expect([await left('many'), await left('few')]).toEqual([100, 90])
  expect(await identities.find('many', 'id0')).toBeUndefined()
  expect(await identities.find('many', 'id149')).toBeDefined()
  expect(await identities.prune()).toBe(0)
})
