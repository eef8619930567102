import { createHash } from 'node:crypto'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { deleteEntities, eventually, putEntity, type Answer, type Api } from '../rig/api.ts'
import { openHubUnderTest, type HubUnderTest } from '../rig/hub-under-test.ts'

/** Events in, filters, transforms, explain (events.md §2, §3). */

let hub: HubUnderTest
let api: Api

beforeAll(async () => {
  hub = await openHubUnderTest()
  api = hub.mine.api
  await put('actions/echo', { exec: { kind: 'nodejs:default', code: 'function main(args) { return args }' } })
})
afterAll(async () => {
  if (api !== undefined) await deleteEntities(api)
  await hub?.close()
})

const put = (path: string, body: unknown): Promise<void> => putEntity(api, path, body)

async function rule(name: string, trigger: string, annotations: Record<string, unknown>): Promise<void> {
  await put(`rules/${name}`, {
    trigger: `/_/${trigger}`,
    action: '/_/echo',
    annotations: Object.entries(annotations).map(([key, value]) => ({ key, value })),
  })
}

let drawn = 0
function headersOf(attributes: Record<string, string>): Record<string, string> {
  const all = { specversion: '1.0', id: `e${drawn++}`, source: '/line/3', type: 'sensor.reading', ...attributes }
  return Object.fromEntries(Object.entries(all).map(([name, value]) => [`ce-${name}`, value]))
}

async function settledRuns(fireId: string): Promise<{ rule: string; activationId: string }[]> {
  const { body } = await eventually(async () => {
    const answer = await api.call('GET', `activations/${fireId}/settlement?waitMs=5000`)
    return answer.status === 200 && answer.body.settled && answer
  })
  return body.runs
}

async function resultOf(activationId: string): Promise<any> {
  return (await api.call('GET', `activations/${activationId}`)).body.response.result
}

/** The fire's runs by rule, with what their action got. */
async function inputs(fire: Answer): Promise<Record<string, any>> {
  expect(fire.status).toBe(202)
  const runs = await settledRuns(fire.body.activationId)
  return Object.fromEntries(
    await Promise.all(
      runs.map(async ({ rule, activationId }) => [rule.split('/').at(-1), await resultOf(activationId)] as const),
    ),
  )
}

describe('a plain fire', () => {
  const idOf = (...parts: string[]) => createHash('sha256').update(parts.join('\u241f')).digest('hex').slice(0, 32)

  beforeAll(async () => {
    await put('triggers/plain%20fire', { parameters: [{ key: 'site', value: 'north' }] })
    await rule('as-event', 'plain fire', { input: 'event' })
    await rule('as-asked', 'plain fire', {})
  })
  const fire = (headers: Record<string, string> = {}) =>
    api.call('POST', 'triggers/plain%20fire', {
      body: '{"n": 1.50}',
      headers: { 'content-type': 'application/json', ...headers },
    })

  it('is an event from its arrival on, without the parameters of its trigger', async () => {
    const sentMs = Date.now()
    const answer = await fire()
    const { 'as-event': event, 'as-asked': plain } = await inputs(answer)
    expect(event).toEqual({
      specversion: '1.0',
      id: answer.body.activationId,
      source: `urn:sluice:trigger:/${encodeURIComponent(hub.mine.namespace)}/plain%20fire`,
      type: 'io.sluice.trigger.fired',
      time: expect.stringMatching(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/),
      datacontenttype: 'application/json',
      data: { n: 1.5 },
    })
    // The hub may be another machine's.
    expect(Math.abs(Date.parse(event.time) - sentMs)).toBeLessThan(60_000)
    expect(plain).toMatchObject({ n: 1.5, site: 'north', __ow_headers: expect.any(Object) })
    expect(plain).not.toHaveProperty('specversion')
  })

  it('has the name that its sender gave it as id, and the ids of its activations follow from it', async () => {
    const key = `"order ${drawn++}"`
    const answer = await fire({ 'idempotency-key': key, 'sluice-input': 'legacy+ce' })
    const { 'as-event': event, 'as-asked': both } = await inputs(answer)
    // A rule's own form wins over the one that the request asks for.
    expect([event.id, both.ce.id, both.ce.source]).toEqual([key, key, event.source])
    expect(both).toMatchObject({ n: 1.5, site: 'north' })
    const fireId = idOf(hub.mine.namespace, 'plain fire', event.source, key)
    expect(answer.body.activationId).toBe(fireId)
    const runs = await settledRuns(fireId)
    expect(runs.map(({ activationId }) => activationId).sort()).toEqual(
      ['as-event', 'as-asked'].map(name => idOf(fireId, name, '0')).sort(),
    )
    const headers = headersOf({ id: 'by-id' })
    const event2 = await api.call('POST', 'triggers/plain%20fire', { body: {}, headers })
    expect(event2.body.activationId).toBe(idOf(hub.mine.namespace, 'plain fire', '/line/3', 'by-id'))
  })
})

describe('filters', () => {
  beforeAll(async () => {
    await put('triggers/sensors', {})
    await rule('hot', 'sensors', { filter: { pattern: { data: { celsius: [{ numeric: ['>', 80] }] } } } })
    await rule('line3', 'sensors', { filter: "source = '/line/3' AND type LIKE 'sensor.%'" })
  })

  it('let only the rules run that an event passes, in structured and in binary mode', async () => {
    const structured = {
      specversion: '1.0',
      id: 's1',
      source: '/line/4',
      type: 'sensor.reading',
      data: { celsius: 95 },
    }
    const first = await api.call('POST', 'triggers/sensors', {
      body: JSON.stringify(structured),
      headers: { 'content-type': 'application/cloudevents+json' },
    })
    expect(await inputs(first)).toEqual({ hot: structured })
    const second = await api.call('POST', 'triggers/sensors', {
      body: { celsius: 20 },
      headers: headersOf({ id: 'b1' }),
    })
    const { line3, hot } = await inputs(second)
    expect(line3).toMatchObject({ id: 'b1', data: { celsius: 20 } })
    expect(hot).toBeUndefined()
    const { logs } = (await api.call('GET', `activations/${second.body.activationId}`)).body
    expect(JSON.parse(logs.at(-1))).toEqual({ matched: 1, filtered: 1 })
  })

  it('run nothing for an event that was sent before', async () => {
    const send = () =>
      api.call('POST', 'triggers/sensors', { body: { celsius: 99 }, headers: headersOf({ id: 'again' }) })
    const first = await send()
    await inputs(first)
    const count = async () => (await api.call('GET', 'activations?count=true&name=echo')).body.activations
    const before = await count()
    const second = await send()
    expect(second.body).toEqual(first.body)
    expect(await count()).toBe(before)
  })

  it('answer 202 although every rule was filtered out, and say so in the record', async () => {
    const fire = await api.call('POST', 'triggers/sensors', {
      body: { celsius: 1 },
      headers: headersOf({ source: '/x' }),
    })
    expect(await inputs(fire)).toEqual({})
    const { logs } = (await api.call('GET', `activations/${fire.body.activationId}`)).body
    expect(logs).toEqual(['{"matched":0,"filtered":2}'])
  })

  it('look at plain fires too', async () => {
    expect(Object.keys(await inputs(await api.call('POST', 'triggers/sensors', { body: { celsius: 81 } })))).toEqual([
      'hot',
    ])
  })

  it('are refused on PUT with the position of the mistake', async () => {
    const wrong = async (kind: string, body: object) => (await api.call('PUT', kind, { body })).text
    const annotated = (key: string, value: unknown) => ({
      trigger: '/_/sensors',
      action: '/_/echo',
      annotations: [{ key, value }],
    })
    expect(await wrong('rules/wrong', annotated('filter', "type = 'a' AND"))).toMatch(
      /'filter' was malformed.*column 15/s,
    )
    expect(await wrong('rules/wrong', annotated('filter', { all: [{ exact: { type: 1 } }] }))).toContain('/all/0')
    expect(await wrong('rules/wrong', annotated('transform', { jsonata: '{"a": ' }))).toContain('/jsonata')
    expect(await wrong('rules/wrong', annotated('input', 'xml'))).toContain("'event', 'data' or 'legacy+ce'")
    expect(await wrong('triggers/wrong', { annotations: [{ key: 'accepts', value: { nonsense: 1 } }] })).toContain(
      'nonsense',
    )
    expect((await api.call('GET', 'rules/wrong')).status).toBe(404)
  })

  it('say why a rule does not run, and run nothing for it', async () => {
    const event = { specversion: '1.0', id: 'x', source: '/line/3', type: 'sensor.reading', data: { celsius: 20 } }
    const ask = (path: string) =>
      api.call('POST', path, {
        body: JSON.stringify(event),
        headers: { 'content-type': 'application/cloudevents+json' },
      })
    const before = (await api.call('GET', 'activations?count=true')).body.activations
    const hot = (await ask('rules/hot/explain')).body
    expect(hot).toMatchObject({ rule: 'hot', matched: false, clause: { path: '/filter', language: 'pattern' } })
    expect(hot.clause.reason).toContain('20')
    expect((await ask('rules/line3/explain')).body).toEqual({ rule: 'line3', matched: true, input: event })
    expect((await ask('triggers/sensors/explain')).body).toHaveLength(2)
    for (const [status, told] of [
      ['inactive', 'inactive'],
      ['active', undefined],
    ]) {
      await api.call('POST', 'rules/line3', { body: { status } })
      const { body } = await ask('rules/line3/explain')
      expect([body.matched, body.status]).toEqual([true, told])
    }
    expect((await api.call('GET', 'activations?count=true')).body.activations).toBe(before)
  })
})

describe('input forms and transforms', () => {
  it('give each rule the form that it asks for', async () => {
    await put('triggers/forms', { parameters: [{ key: 'site', value: 'north' }] })
    await rule('whole', 'forms', { input: 'event' })
    await rule('data', 'forms', { input: 'data' })
    await rule('both', 'forms', { input: 'legacy+ce' })
    await rule('made', 'forms', { transform: { jsonata: '{"fahrenheit": data.celsius * 9 / 5 + 32, "of": id}' } })
    const got = await inputs(
      await api.call('POST', 'triggers/forms', { body: { celsius: 10 }, headers: headersOf({ id: 'f1' }) }),
    )
    expect(got['whole']).toMatchObject({ specversion: '1.0', id: 'f1', data: { celsius: 10 } })
    expect(got['data']).toMatchObject({ celsius: 10, site: 'north' })
    expect(got['both']).toMatchObject({ celsius: 10, ce: { id: 'f1' } })
    expect(got['made']).toEqual({ fahrenheit: 50, of: 'f1' })
  })

  it('wrap data that is no object', async () => {
    const got = await inputs(
      await api.call('POST', 'triggers/forms', {
        body: '[1,2]',
        headers: { ...headersOf({}), 'content-type': 'application/json' },
      }),
    )
    expect(got['data']).toMatchObject({ data: [1, 2] })
  })

  it('make a failing transform an error of that run alone', async () => {
    await put('triggers/failing', {})
    await rule('fails', 'failing', { transform: { jsonata: '$number(data.text)' } })
    await rule('works', 'failing', { input: 'data' })
    const got = await inputs(await api.call('POST', 'triggers/failing', { body: { text: 'x' } }))
    expect(got['fails'].error).toMatch(/^The transform failed: /)
    expect(got['works']).toMatchObject({ text: 'x' })
  })
})

describe('events sent to the namespace', () => {
  beforeAll(async () => {
    await put('triggers/orders', { annotations: [{ key: 'accepts', value: { prefix: { type: 'order.' } } }] })
    await put('triggers/large', {
      annotations: [{ key: 'accepts', value: { pattern: { data: { total: [{ numeric: ['>=', 100] }] } } } }],
    })
    await rule('order', 'orders', {})
    await rule('big', 'large', {})
  })

  it('fire every trigger that accepts them', async () => {
    const post = (attributes: Record<string, string>, total: number) =>
      api.call('POST', 'events', { body: { total }, headers: headersOf(attributes) })
    expect((await post({ id: 'o1', type: 'order.placed' }, 5)).body).toEqual({
      id: 'o1',
      source: '/line/3',
      activations: 1,
    })
    expect((await post({ id: 'o2', type: 'order.placed' }, 500)).body).toMatchObject({ activations: 2 })
    expect((await post({ id: 'o2', type: 'order.placed' }, 500)).body).toMatchObject({ activations: 2 })
    expect((await post({ id: 'o2', type: 'order.placed' }, 501)).status).toBe(422)
    expect((await post({ id: 'o3', type: 'other' }, 5)).body).toMatchObject({ activations: 0 })
    await eventually(async () => (await api.call('GET', 'activations?count=true&name=orders')).body.activations === 2)
  })

  it('see a trigger as soon as it was written', async () => {
    const post = (id: string) => api.call('POST', 'events', { body: {}, headers: headersOf({ id, type: 'new.kind' }) })
    expect((await post('n1')).body.activations).toBe(0)
    await put('triggers/newer', { annotations: [{ key: 'accepts', value: "type = 'new.kind'" }] })
    await rule('newer-rule', 'newer', {})
    expect((await post('n2')).body.activations).toBe(1)
    await api.call('DELETE', 'triggers/newer')
    expect((await post('n3')).body.activations).toBe(0)
  })

  it('are others than those for a trigger that is called events', async () => {
    await put('triggers/events', {})
    await rule('called-events', 'events', {})
    const headers = headersOf({ id: 'both', type: 'order.placed' })
    expect((await api.call('POST', 'events', { body: { total: 1 }, headers })).body.activations).toBe(1)
    const got = await inputs(await api.call('POST', 'triggers/events', { body: { total: 1 }, headers }))
    expect(got['called-events']).toMatchObject({ id: 'both', data: { total: 1 } })
  })

  it("are nobody else's to send, nor to explain", async () => {
    const foreign = `/api/v1/namespaces/${hub.mine.namespace}`
    const send = (path: string) =>
      hub.other.api.call('POST', `${foreign}/${path}`, { body: {}, headers: headersOf({ type: 'order.placed' }) })
    for (const path of [
      'events',
      'triggers/orders',
      'triggers/orders/explain',
      'rules/order/explain',
      'rules/none/explain',
    ])
      expect((await send(path)).status).toBe(403)
    const anonymous = await api.call('POST', `${foreign}/events`, { auth: null, body: {}, headers: headersOf({}) })
    expect(anonymous.status).toBe(401)
  })

  it('come in batches, all or none', async () => {
    const event = (id: string, more = {}) => ({ specversion: '1.0', id, source: '/b', type: 'order.batch', ...more })
    const post = (events: unknown) =>
      api.call('POST', 'events', {
        body: JSON.stringify(events),
        headers: { 'content-type': 'application/cloudevents-batch+json' },
      })
    const { status, body } = await post([event('1'), event('2')])
    expect([status, body]).toEqual([
      202,
      {
        events: [
          { id: '1', source: '/b' },
          { id: '2', source: '/b' },
        ],
      },
    ])
    expect((await post([event('3'), { id: 'broken' }])).status).toBe(400)
    expect((await post([event('4'), event('1', { type: 'order.other' })])).status).toBe(422)
    expect((await post([event('4')])).body.events).toHaveLength(1)
  })

  it('are refused precisely when they are none', async () => {
    expect((await api.call('POST', 'events', { body: { a: 1 } })).status).toBe(400)
    const unknown = await api.call('POST', 'events', {
      body: '1',
      headers: { 'content-type': 'application/cloudevents+cbor' },
    })
    expect(unknown.status).toBe(415)
    expect(unknown.text).toContain('application/cloudevents+json')
    const missing = await api.call('POST', 'events', {
      body: {},
      headers: { 'ce-specversion': '1.0', 'ce-id': '1', 'ce-source': '/a' },
    })
    expect([missing.status, missing.text]).toEqual([400, expect.stringContaining('type')])
  })

  it('are announced by the handshake of web hooks', async () => {
    for (const path of ['events', 'triggers/orders']) {
      const { status, headers } = await api.call('OPTIONS', path, {
        headers: { 'webhook-request-origin': 'sender.example', 'webhook-request-rate': '120' },
      })
      expect([status, headers['webhook-allowed-origin'], headers['webhook-allowed-rate'], headers['allow']]).toEqual([
        200,
        'sender.example',
        '120',
        'POST',
      ])
    }
  })
})
