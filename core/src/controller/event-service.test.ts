import { createEvent, textData } from '@sluice/cloudevents'
import { expect, it, onTestFinished } from 'vitest'
import { openMemoryBackend } from '../backend/memory/index.ts'
import { groups, topics, type FireRecord } from '../model/index.ts'
import { createRecordTail, systemClock, systemRandom, type StoredDocument } from '../spi/index.ts'
import { createEventService } from './event-service.ts'
import { createFireService, type FireLimits } from './fire-service.ts'
import { testFilters } from './testing/fixture.ts'
import { createTriggerIndex } from './trigger-index.ts'

/** A namespace in which each of ten triggers accepts every event of type `all`, and only the first one others. */
async function open(limits: Partial<FireLimits> = {}) {
  const { artifacts, bus, state } = openMemoryBackend({ clock: systemClock, random: systemRandom })
  const link = { action: { path: 'guest', name: 'a' }, status: 'active' }
  for (let at = 0; at < 10; at++) {
    const value = at === 0 ? 'TRUE' : "type = 'all'"
    const document = { entityType: 'trigger', namespace: 'guest', name: `t${at}`, version: '0.0.1', updated: 0 }
    const more = { parameters: [], annotations: [{ key: 'accepts', value }], rules: { 'guest/r': link } }
    await artifacts.put(`guest/t${at}`, { ...document, ...more } as StoredDocument)
  }
  const filters = testFilters()
  const triggers = createTriggerIndex({ artifacts, filters, clock: systemClock })
  onTestFinished(() => triggers.close())
  const tail = createRecordTail(() => undefined)
  const deps = { bus, state, clock: systemClock, random: systemRandom, tail, filters, limits }
  const fire = createFireService(deps)
  await fire.start()
  const service = createEventService({ fire, filters, triggers })
  const send = (type: string, count: number, text = '') =>
    service.accept({
      identity: { namespace: { name: 'guest' } } as unknown as FireRecord['user'],
      namespace: 'guest',
      headers: {},
      transid: 't',
      events: Array.from({ length: count }, (_, id) =>
        createEvent({ id: `${type}-${id}`, source: '/s', type, datacontenttype: 'text/plain', data: textData(text) }),
      ),
    })
  async function published(): Promise<number> {
    let count = 0
    for await (const _ of await bus.waiting(topics.fires, groups.fanOut)) count++
    return count
  }
  return { send, published, pending: () => fire.pending() }
}

it('fires every trigger that accepts an event, and tells how many that were for each', async () => {
  const { send, published } = await open()
  expect(await send('all', 2)).toEqual([10, 10])
  expect(await send('some', 3)).toEqual([1, 1, 1])
  expect(await published()).toBe(23)
})

it.each([
  ['fires', { requestFiresMax: 49 }, ''],
  ['bytes of fires', { requestBytesMax: 112_000 }, 'x'.repeat(2000)],
])('refuses a request that would make too many %s, as a whole, and takes it in parts', async (_, limits, text) => {
  const { send, published, pending } = await open(limits)
  await expect(send('all', 5, text)).rejects.toMatchObject({
    status: 413,
    message: expect.stringContaining('send fewer'),
  })
  expect([await published(), pending()]).toEqual([0, 0])
  // Nothing was noted of it either: the same events are new.
  expect(await send('all', 4, text)).toEqual([10, 10, 10, 10])
  expect([await published(), pending()]).toEqual([40, 40])
})
