import { differencesOf, readSuiteFile, suiteIsThere } from '@sluice/cloudevents/testing'
import { describe, expect, it } from 'vitest'
import { systemClock } from '../spi/index.ts'
import { createFixture, nodeAction, openLimits } from './testing/fixture.ts'

/** What a sender of events is answered, by the cases of the web hook specification (events.md §2). */

type Case = {
  name: string
  kind: string
  outcome: 'processed' | 'accepted' | 'unsupported' | 'throttled' | 'gone' | 'any'
  allowed?: number[]
  forbidden?: number[]
  requiredHeaders?: string[]
}

const there = suiteIsThere('cloudevents')
const { cases: all } = (there ? readSuiteFile('cloudevents', 'http-webhook.json') : { cases: [] }) as { cases: Case[] }
const cases = all.filter(one => one.kind === 'delivery-status')
const differences = differencesOf('cloudevents/http-webhook.json')

const event = { specversion: '1.0', id: '1', source: '/s', type: 't' }
const binary = { 'ce-specversion': '1.0', 'ce-id': '1', 'ce-source': '/s', 'ce-type': 't' }
const batch = { 'content-type': 'application/cloudevents-batch+json' }

/** At 20 s of a minute. */
const frozen = { ...systemClock, nowMs: () => 140_000 }

async function open() {
  const fixture = await createFixture({ clock: frozen })
  const { call } = fixture
  await call('PUT', '~actions/a', nodeAction)
  for (const name of ['ruled', 'idle', 'retired']) await call('PUT', `~triggers/${name}`, {})
  await call('PUT', '~rules/r', { trigger: '/_/ruled', action: '/_/a' })
  await call('DELETE', '~triggers/retired')
  return fixture
}
type Call = Awaited<ReturnType<typeof open>>['call']
type Answer = Awaited<ReturnType<Call>>

/** By every route and in every mode in which a rule gets an event. */
async function deliverEachWay(call: Call): Promise<Answer[]> {
  return [
    await call('POST', '~triggers/ruled', {}, { headers: binary }),
    await call('POST', '~events', {}, { headers: binary }),
    await call('POST', '~events', JSON.stringify([event]), { headers: batch }),
  ]
}

/** By outcome: the answers of every route that takes deliveries. */
const deliveries: Record<Exclude<Case['outcome'], 'any'>, () => Promise<Answer[]>> = {
  async processed() {
    const { call } = await open()
    return [await call('POST', '~triggers/idle', {}, { headers: binary })]
  },
  async accepted() {
    return deliverEachWay((await open()).call)
  },
  async unsupported() {
    const { call } = await open()
    const headers = { 'content-type': 'application/cloudevents+cbor' }
    return [await call('POST', '~events', 'x', { headers })]
  },
  async throttled() {
    const { call, setLimits } = await open()
    await setLimits('guest', { firesPerMinute: 0 })
    return deliverEachWay(call)
  },
  async gone() {
    const { call } = await open()
    return [await call('POST', '~triggers/retired', {}, { headers: binary })]
  },
}

describe.skipIf(!there)('conformance/cloudevents/http-webhook.json', () => {
  it('has all cases of deliveries at hand', () => {
    expect(cases.length).toBeGreaterThanOrEqual(6)
  })

  for (const { name, outcome, allowed, forbidden = [], requiredHeaders = [] } of cases) {
    it(name, async () => {
      const every = outcome === 'any' ? Object.values(deliveries) : [deliveries[outcome]]
      const answers = (await Promise.all(every.map(deliver => deliver()))).flat()
      const differs = differences[name] !== undefined
      for (const { status, headers } of answers) {
        if (differs) expect(allowed).not.toContain(status)
        else if (allowed) expect(allowed).toContain(status)
        expect(forbidden).not.toContain(status)
        for (const header of requiredHeaders) expect(headers).toHaveProperty(header.toLowerCase())
      }
    })
  }
})

describe('the rate of fires', () => {
  const sendBatch = (call: Call, count: number) => {
    const events = Array.from({ length: count }, (_, id) => ({ ...event, id: String(id) }))
    return call('POST', '~events', JSON.stringify(events), { headers: batch })
  }

  it('counts every event of a batch, and refuses the batch as a whole', async () => {
    const accepted: number[] = []
    const deps = {
      events: {
        accept: async ({ events }: { events: readonly unknown[] }) => (
          accepted.push(events.length),
          events.map(() => 0)
        ),
      },
    }
    const { call, setLimits } = await createFixture({ clock: frozen, deps })
    await setLimits('guest', { firesPerMinute: 5 })
    expect((await sendBatch(call, 3)).status).toBe(202)
    const { status, json } = await sendBatch(call, 3)
    expect([status, json.error]).toEqual([429, 'Too many requests in the last minute (count: 6, allowed: 5).'])
    expect(accepted).toEqual([3])
    expect((await sendBatch(call, 1)).json.error).toContain('count: 7')
  })

  it('takes a batch of all that a minute has room for', async () => {
    const { call, setLimits } = await createFixture({ clock: frozen })
    await setLimits('guest', { firesPerMinute: 5 })
    expect((await sendBatch(call, 5)).status).toBe(202)
  })

  it('refuses a larger batch as too large, since no waiting would help', async () => {
    const { call, setLimits } = await createFixture({ clock: frozen })
    await setLimits('guest', { firesPerMinute: 5 })
    const { status, json, headers } = await sendBatch(call, 6)
    expect([status, headers['retry-after']]).toEqual([413, undefined])
    expect(json.error).toBe(
      'A batch of 6 events can never be accepted: the namespace takes 5 events a minute. Send at most 5 in a request.',
    )
    // It was counted as the one request that it is, and the rest of the minute is left to others.
    expect((await sendBatch(call, 4)).status).toBe(202)
    expect((await sendBatch(call, 1)).status).toBe(429)
  })

  it('tells senders of events when the next minute begins, and plain clients nothing, as OpenWhisk', async () => {
    const { call, setLimits } = await open()
    await setLimits('guest', { firesPerMinute: 0 })
    const toEvents = await call('POST', '~events', {}, { headers: binary })
    expect([toEvents.status, toEvents.headers['retry-after']]).toEqual([429, '40'])
    const plain = await call('POST', '~triggers/ruled', {})
    expect([plain.status, plain.headers['retry-after']]).toEqual([429, undefined])
  })
})

describe('the handshake of web hooks', () => {
  it('grants no more than every sender has, and asks for no key', async () => {
    const grantedWith = async (limits: { firesPerMinute?: number }, path = '@_/events') => {
      const { call } = await createFixture({ limits: { ...openLimits, ...limits } })
      const asked = { 'webhook-request-origin': 'sender.example', 'webhook-request-rate': '120' }
      const { status, headers } = await call('OPTIONS', path, undefined, { as: null, headers: asked })
      return [status, headers['webhook-allowed-origin'], headers['webhook-allowed-rate'], headers['allow']]
    }
    expect(await grantedWith({ firesPerMinute: 60 })).toEqual([200, 'sender.example', '60', 'POST'])
    expect(await grantedWith({ firesPerMinute: 60 }, '@guest/triggers/t')).toEqual([
      200,
      'sender.example',
      '60',
      'POST',
    ])
    expect(await grantedWith({})).toEqual([200, 'sender.example', '120', 'POST'])
    expect((await grantedWith({ firesPerMinute: 0 }))[2]).toBe('1')
  })
})

describe('headers of deliveries', () => {
  it('are refused when nobody knows what they mean, also where no rule would look', async () => {
    const { call } = await open()
    const { status, json } = await call('POST', '~events', {}, { headers: { ...binary, 'sluice-input': 'xml' } })
    expect([status, json.error]).toEqual([400, expect.stringContaining('Sluice-Input')])
    const named = (key: string) => call('POST', '~triggers/idle', {}, { headers: { 'idempotency-key': key } })
    expect((await named('"a key"')).status).toBe(204)
    expect((await named('a\tkey')).json.error).toBe('Idempotency-Key must have printable ASCII characters only.')
  })
})
