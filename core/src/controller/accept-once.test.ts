import { describe, expect, it } from 'vitest'
import { openMemoryBackend } from '../backend/memory/index.ts'
import { systemClock, systemRandom } from '../spi/index.ts'
import { createAcceptOnce, type IdentifiedEvent } from './accept-once.ts'
import { createFireIdentities } from './fire-identities.ts'

const event = (id: string, digest = 'as it was'): IdentifiedEvent => ({ id, digest })
const otherContent = { status: 422, message: 'An event with this source and id exists with other content.' }

function open() {
  const { state } = openMemoryBackend({ clock: systemClock, random: systemRandom })
  const once = createAcceptOnce(createFireIdentities(state, systemClock))
  /** Ids that were accepted, in this order; an event's count is its place among them. */
  const accepted: string[] = []
  let failures = 0
  const send = (...events: IdentifiedEvent[]) =>
    once('ns', events, async fresh => {
      await new Promise(done => setImmediate(done))
      if (failures > 0) {
        failures--
        throw new Error('not now')
      }
      return fresh.map(at => ({ fired: true, count: accepted.push(events[at]?.id ?? '') }))
    })
  const counts = async (...events: IdentifiedEvent[]) => (await send(...events)).map(({ count }) => count)
  return { state, accepted, send, counts, failNext: (times: number) => void (failures = times) }
}

describe('an event of known identity', () => {
  it('is accepted once, at once and later, and each time answered alike', async () => {
    const { accepted, counts } = open()
    expect(await Promise.all([counts(event('a')), counts(event('a')), counts(event('a'))])).toEqual([[1], [1], [1]])
    expect(await counts(event('a'))).toEqual([1])
    expect(accepted).toEqual(['a'])
  })

  it('is refused with other content, at once and later', async () => {
    const { accepted, send } = open()
    const first = send(event('a'))
    await expect(send(event('a', 'changed'))).rejects.toMatchObject(otherContent)
    await first
    await expect(send(event('a', 'changed'))).rejects.toMatchObject(otherContent)
    expect(accepted).toEqual(['a'])
  })

  it('that could not be accepted is tried again by whoever sent it meanwhile', async () => {
    const { accepted, counts, failNext } = open()
    failNext(1)
    const [first, second] = await Promise.allSettled([counts(event('a')), counts(event('a'))])
    expect(first).toMatchObject({ status: 'rejected', reason: new Error('not now') })
    expect(second).toEqual({ status: 'fulfilled', value: [1] })
    expect(accepted).toEqual(['a'])
  })

  it('is tried again when it was accepted and could not be noted, for its ids will meet', async () => {
    const { accepted, send, state } = open()
    const put = state.put.bind(state)
    state.put = () => Promise.reject(new Error('away'))
    await expect(send(event('a'))).rejects.toThrow('away')
    state.put = put
    await send(event('a'))
    expect(accepted).toEqual(['a', 'a'])
  })
})

describe('events of one request', () => {
  it('are answered in their order, those that are new accepted together, and one that is there twice once', async () => {
    const { accepted, counts } = open()
    await counts(event('b'))
    expect(await counts(event('a'), event('b'), event('a'), event('c'))).toEqual([2, 1, 2, 3])
    expect(accepted).toEqual(['b', 'a', 'c'])
  })

  it('are accepted all or none', async () => {
    const { accepted, send } = open()
    await send(event('b'))
    await expect(send(event('a'), event('b', 'changed'))).rejects.toMatchObject(otherContent)
    await expect(send(event('a'), event('a', 'changed'))).rejects.toMatchObject(otherContent)
    expect(accepted).toEqual(['b'])
    // Nothing of them was noted.
    await send(event('a', 'changed'))
    expect(accepted).toEqual(['b', 'a'])
  })

  it('wait for each other where two requests share some', async () => {
    const { accepted, counts } = open()
    const [ab = [], bc = [], c = []] = await Promise.all([
      counts(event('a'), event('b')),
      counts(event('b'), event('c')),
      counts(event('c')),
    ])
    expect([ab[1], bc[1]]).toEqual([bc[0], c[0]])
    expect([...accepted].sort()).toEqual(['a', 'b', 'c'])
  })
})
