import { createEvent, encodeAvro, encodeProtobuf, encodeXml, jsonData, textData, bytesData } from '@sluice/cloudevents'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { deleteEntities, eventually, putEntity, type Answer, type Api } from '../rig/api.ts'
import { answerMsMax, tellsInside } from '../rig/hostile-answers.ts'
import { openHubUnderTest, type HubUnderTest } from '../rig/hub-under-test.ts'

/**
 * Events that are wrong in a known way, at every route that takes some, and filters that go wrong in a known way, as the
 * annotations of rules (reliability.md S3, S6, S19): the answer says what is wrong, nothing else runs into it.
 */

let hub: HubUnderTest
let api: Api

beforeAll(async () => {
  hub = await openHubUnderTest()
  api = hub.mine.api
  await putEntity(api, 'actions/none', { exec: { kind: 'nodejs:default', code: 'const main = () => ({})' } })
  await putEntity(api, 'triggers/taking', { annotations: [{ key: 'accepts', value: "source = '/s'" }] })
  await putEntity(api, 'rules/taken', { trigger: '/_/taking', action: '/_/none' })
})
afterAll(async () => {
  if (api !== undefined) await deleteEntities(api)
  await hub?.close()
})

type Headers = Record<string, string | string[]>

const timeoutMs = 5 * answerMsMax
const routes = ['events', 'triggers/taking', 'triggers/taking/explain', 'rules/taken/explain']

let drawn = 0
const required = () => ({ specversion: '1.0', id: `refusal-${drawn++}`, source: '/s', type: 't' })
const binary = (more: Headers = {}): Headers => ({
  ...Object.fromEntries(Object.entries(required()).map(([name, value]) => [`ce-${name}`, value])),
  ...more,
})

function post(path: string, headers: Headers, body: string | Uint8Array): Promise<Answer> {
  // The client sends a list as so many headers.
  return api.call('POST', path, { headers: headers as Record<string, string>, body, timeoutMs })
}

/** All routes must refuse it, for the same reason; gives that. */
async function refusal(headers: Headers, body: string | Uint8Array, expected = 400): Promise<string> {
  const reasons = new Set<string>()
  for (const path of routes) {
    const { status, body: answer, text } = await post(path, headers, body)
    expect([path, status]).toEqual([path, expected])
    expect(tellsInside(text)).toBe(false)
    reasons.add(answer.error)
  }
  expect((await api.call('GET', '/ping', { auth: null })).text).toBe('pong')
  expect([...reasons]).toHaveLength(1)
  return [...reasons][0] ?? ''
}

const structured = (type: string): Headers => ({ 'content-type': `application/cloudevents${type}` })
const refusedJson = (members: object): Promise<string> =>
  refusal(structured('+json'), JSON.stringify({ ...required(), ...members }))

describe('an event in structured mode is refused, and the attribute and the rule are named, [sec:S3] for', () => {
  it.each<[what: string, members: object, reason: string]>([
    ['a name in capitals', { MyExtension: 'x' }, "'MyExtension' is not a legal attribute name"],
    ['a name with a dash', { 'my-extension': 'x' }, "'my-extension' is not a legal attribute name"],
    ['a prototype', JSON.parse('{"__proto__": "x"}') as object, "'__proto__' is not a legal attribute name"],
    ['an empty id', { id: '' }, "'id' must not be empty"],
    ['an id that is a number', { id: 1 }, "'id' must be a string"],
    ['a missing type', { type: null }, "'type' is required and missing"],
    ['a control character', { subject: 'a\u0007' }, "'subject' must not contain control characters"],
    ['half a surrogate pair', { subject: 'a\ud800' }, "'subject' must not contain unpaired surrogates"],
    ['a noncharacter', { subject: '\uffff' }, "'subject' must not contain Unicode noncharacters"],
    ['an old version', { specversion: '0.3' }, "'specversion' must be '1.0'"],
    ['a version that is a number', { specversion: 1 }, "'specversion' must be a string"],
    ['both forms of data', { data: {}, data_base64: 'AA==' }, "'data' must not stand beside data_base64"],
    ['data that is no base64', { data_base64: 'A' }, "'data_base64' must be base64"],
    ['a source that is none', { source: 'a b' }, "'source' must be a URI reference"],
    ['a time that is none', { time: '2018-02-30T00:00:00Z' }, "'time' must be a timestamp"],
    ['an integer beyond 32 bits', { count: 2 ** 31 }, "'count' must be an integer of 32 bits"],
    ['an extension that is an object', { more: {} }, "'more' must be a string, a boolean, an integer or bytes"],
    ['a content type that is none', { datacontenttype: 'json' }, "'datacontenttype' must be a media type"],
  ])('%s', async (_, members, reason) => {
    expect(await refusedJson(members)).toContain(`CloudEvent ${reason}`)
  })

  it('a body that is no JSON, or no object', async () => {
    expect(await refusal(structured('+json'), '{"specversion":')).toContain("CloudEvent 'body' must be JSON")
    expect(await refusal(structured('+json'), '[]')).toContain("CloudEvent 'body' must be a JSON object")
  })

  it('a format that nobody reads, and the known ones are listed', async () => {
    expect(await refusal(structured('+cbor'), 'x', 415)).toContain('application/cloudevents+json')
    expect(await refusal(structured('+json; charset=utf-16'), '{}', 415)).toContain('application/cloudevents+json')
  })

  it('a batch, at a trigger; at the namespace the broken event of one is named', async () => {
    const batch = structured('-batch+json')
    const body = JSON.stringify([required(), { ...required(), id: '' }])
    for (const path of routes.slice(1)) {
      const { status, body: answer } = await post(path, batch, body)
      expect([status, answer.error]).toEqual([
        400,
        expect.stringContaining('holds a batch where one event is expected'),
      ])
    }
    const { status, body: answer } = await post('events', batch, body)
    expect([status, answer.error]).toEqual([400, expect.stringMatching(/'id' must not be empty.*event 1/)])
  })
})

describe('an event in binary mode is refused [sec:S3] for', () => {
  it.each<[what: string, more: Headers, reason: string]>([
    ['a doubled header', { 'ce-subject': ['a', 'b'] }, "'subject' must be given once"],
    ['a doubled id', { 'ce-id': ['a', 'a'] }, "'id' must be given once"],
    ['a control character', { 'ce-subject': 'a%07' }, "'subject' must not contain control characters"],
    ['bytes that are no UTF-8', { 'ce-subject': '%C0%A0' }, "'subject' must be valid UTF-8"],
    ['an unknown version', { 'ce-specversion': '1.1' }, "'specversion' must be '1.0'"],
    ['a name with an underline', { 'ce-my_ext': 'x' }, "'my_ext' is not a legal attribute name"],
    ['an attribute called data', { 'ce-data': 'x' }, "'data' is a name that an extension must not have"],
  ])('%s', async (_, more, reason) => {
    expect(await refusal(binary({ 'content-type': 'application/json', ...more }), '{}')).toContain(
      `CloudEvent ${reason}`,
    )
  })

  it('nothing where only the case of a header is unusual', async () => {
    const { id, ...rest } = required()
    const headers = Object.fromEntries(Object.entries(rest).map(([name, value]) => [`CE-${name}`, value]))
    const { status, body } = await post('events', { ...headers, 'Ce-ID': id, 'CE-MyExt': 'x' }, '')
    expect([status, body]).toEqual([202, { id, source: '/s', activations: 1 }])
  })
})

describe('a document that was cut off is refused [sec:S3]', () => {
  const event = () => createEvent({ ...required(), specversion: '1.0', data: jsonData({ a: [1, 'two', null] }) })

  /** How many of its beginnings are events of their own. */
  async function acceptedBeginnings(type: string, document: Uint8Array): Promise<number> {
    let accepted = 0
    for (let length = 0; length < document.length; length++) {
      // Where nothing is kept: a part that is an event would be another one with the same id.
      const { status, text } = await post('rules/taken/explain', structured(type), document.subarray(0, length))
      expect([length, status === 200 || status === 400]).toEqual([length, true])
      expect(tellsInside(text)).toBe(false)
      if (status === 200) accepted++
    }
    expect((await post('events', structured(type), document)).status).toBe(202)
    return accepted
  }

  it('at every byte of Avro', async () => {
    expect(await acceptedBeginnings('+avro', encodeAvro(event()))).toBe(0)
  })

  it('at every byte of Protobuf but one: before its last field, the data, lies an event without data', async () => {
    const whole = createEvent({
      ...required(),
      specversion: '1.0',
      datacontenttype: 'text/plain',
      data: textData('text'),
    })
    const { datacontenttype: _, ...bare } = whole
    const document = encodeProtobuf(createEvent({ ...bare, data: bytesData(Buffer.from('text')) }))
    expect(await acceptedBeginnings('+protobuf', document)).toBe(1)
  })
})

describe('entities of XML', () => {
  const document = (before: string, subject: string): string =>
    `<?xml version="1.0" encoding="UTF-8"?>${before}<event xmlns="http://cloudevents.io/xmlformat/V1" specversion="1.0">` +
    `<id>xml-${drawn++}</id><source>/s</source><type>t</type><subject>${subject}</subject></event>`

  it.each([
    ['of its own', '<!DOCTYPE event [<!ENTITY e "x">]>', '&e;'],
    ['that grow', `<!DOCTYPE e [<!ENTITY a "xxxxxxxxxx"><!ENTITY b "${'&a;'.repeat(1000)}">]>`, '&b;'.repeat(1000)],
    ['of a file', '<!DOCTYPE e [<!ENTITY x SYSTEM "file:///etc/passwd">]>', '&x;'],
    ['of an address', '<!DOCTYPE e SYSTEM "http://127.0.0.1:9/x.dtd">', 'x'],
    ['for definitions', '<!DOCTYPE e [<!ENTITY % p SYSTEM "file:///etc/passwd"> %p;]>', 'x'],
  ])('%s are never looked at [sec:S3]', async (_, before, subject) => {
    expect(await refusal(structured('+xml'), document(before, subject))).toContain('must not have a document type')
  })

  it('that nobody defined are refused, and those of XML itself are read', async () => {
    expect(await refusal(structured('+xml'), document('', '&unknown;'))).toContain("CloudEvent 'body' must be XML")
    const { status, body } = await post('rules/taken/explain', structured('+xml'), document('', 'a&lt;b&#33;'))
    expect([status, body.input.subject]).toEqual([200, 'a<b!'])
  })
})

describe('JSON data is bounded [sec:S4]', () => {
  const deep = '['.repeat(5000) + ']'.repeat(5000)
  const hidden = () =>
    createEvent({
      ...required(),
      specversion: '1.0',
      datacontenttype: 'application/json',
      data: bytesData(Buffer.from(deep)),
    })

  it.each<[format: string, type: string, document: () => Uint8Array | string]>([
    ['Avro', '+avro', () => encodeAvro(hidden())],
    ['Protobuf', '+protobuf', () => encodeProtobuf(hidden())],
    ['XML', '+xml', () => encodeXml(hidden())],
    [
      'base64',
      '+json',
      () =>
        JSON.stringify({
          ...required(),
          datacontenttype: 'application/json',
          data_base64: Buffer.from(deep).toString('base64'),
        }),
    ],
    ['JSON itself', '+json', () => `${JSON.stringify(required()).slice(0, -1)},"data":${deep}}`],
    ['Avro that says JSON in a parameter', '+avro; like=json', () => encodeAvro(hidden())],
  ])('in %s', async (_, type, document) => {
    expect(await refusal(structured(type), document())).toContain('nested too deeply')
  })

  it('in binary mode', async () => {
    expect(await refusal(binary({ 'content-type': 'application/json' }), deep)).toContain('nested too deeply')
  })
})

describe('a filter whose text is hostile is refused with the place [sec:S6]', () => {
  const nested = (depth: number, wrap: (inner: unknown) => unknown, leaf: unknown): unknown =>
    depth === 0 ? leaf : wrap(nested(depth - 1, wrap, leaf))

  it.each<[what: string, filter: unknown, reason: RegExp]>([
    ['a pattern nested 1,000 deep', { pattern: nested(1000, inner => ({ a: inner }), ['x']) }, /nested too deeply/],
    ['a pattern nested 110 deep', { pattern: nested(110, inner => ({ a: inner }), ['x']) }, /pattern.*nested/s],
    ['NOT nested 1,000 deep', `${'NOT '.repeat(1000)}TRUE`, /nested.*column \d+/s],
    ['brackets nested 1,000 deep', `${'('.repeat(1000)}TRUE${')'.repeat(1000)}`, /nested.*column \d+/s],
    ['not nested 100 deep', nested(100, inner => ({ not: inner }), { exact: { type: 'a' } }), /not.*nested/s],
    [
      '$or that multiplies out',
      {
        pattern: Object.fromEntries(
          Array.from({ length: 30 }, (_, n) => [`f${n}`, { $or: [{ a: ['x'] }, { b: ['x'] }] }]),
        ),
      },
      /alternatives/,
    ],
    ['a wildcard of 6,000 characters', { pattern: { type: [{ wildcard: 'ab*'.repeat(2000) }] } }, /characters/],
    ['a regular expression that looks back', { jsonata: '$match(type, /(a)\\1/)' }, /column \d+/],
    ['JSONata nested 5,000 deep', { jsonata: `${'('.repeat(5000)}1${')'.repeat(5000)}` }, /jsonata/],
    ['CESQL that ends too early', "type = 'a' AND", /column 15/],
  ])('%s', async (_, value, reason) => {
    for (const [path, body] of [
      ['rules/hostile', { trigger: '/_/taking', action: '/_/none', annotations: [{ key: 'filter', value }] }],
      ['triggers/hostile', { annotations: [{ key: 'accepts', value }] }],
    ] as const) {
      const { status, body: answer, text } = await api.call('PUT', path, { body, timeoutMs })
      expect([path, status]).toEqual([path, 400])
      expect(answer.error).toMatch(reason)
      expect(text.length).toBeLessThan(3000)
      expect(tellsInside(text)).toBe(false)
    }
  })
})

describe('a filter that goes wrong with an event', () => {
  const text = 'a'.repeat(400_000)
  const doubled = Array.from({ length: 30 }, () => "UPPER(CONCAT(DATA('/text'), DATA('/text')))").join(', ')
  const rules: Record<string, { annotations: Record<string, unknown>; reason: RegExp }> = {
    math: { annotations: { filter: '1 / 0 = 1' }, reason: /^math: / },
    cast: { annotations: { filter: 'INT(type) = 1' }, reason: /^cast: / },
    function: { annotations: { filter: 'NOPE(type) = 1' }, reason: /^missingFunction: / },
    evaluation: { annotations: { filter: "LEFT(type, -1) = 'a'" }, reason: /^functionEvaluation: / },
    attribute: { annotations: { filter: "colour = 'red'" }, reason: /^missingAttribute: / },
    generic: { annotations: { filter: `LENGTH(CONCAT(${doubled})) > 0` }, reason: /^generic: / },
    wildcard: {
      annotations: { filter: { pattern: { data: { text: [{ wildcard: `${'a*'.repeat(1000)}b` }] } } } },
      reason: /data\.text is /,
    },
    like: { annotations: { filter: `DATA('/text') LIKE '${'%a_'.repeat(1000)}b'` }, reason: /is false|generic/ },
    loops: {
      annotations: { filter: { jsonata: '($f := function($n) { $f($n + 1) }; $f(0))' } },
      reason: /^jsonata: /,
    },
    counts: { annotations: { filter: { jsonata: '$sum([1..90000].($sum([1..1000])))' } }, reason: /^jsonata: / },
    allocates: {
      annotations: { filter: { jsonata: '($f := function($s) { $f($s & $s) }; $f("xxxxxxxx"))' } },
      reason: /^jsonata: /,
    },
    sorts: { annotations: { filter: { jsonata: '$sort([1..99999])' } }, reason: /^jsonata: / },
    fills: { annotations: { filter: { jsonata: '$length($pad("x", 50000000)) > 0' } }, reason: /^jsonata: / },
    pads: { annotations: { filter: { jsonata: '$pad("x", 5000000)' } }, reason: /^jsonata: / },
    clock: { annotations: { filter: { jsonata: '$now() > "1"' } }, reason: /^jsonata: / },
  }

  beforeAll(async () => {
    await putEntity(api, 'triggers/hurt', {})
    const all = { ...rules, sound: { annotations: { filter: { jsonata: 'type = "t"' } } } }
    for (const [name, { annotations }] of Object.entries(all)) {
      await putEntity(api, `rules/${name}`, {
        trigger: '/_/hurt',
        action: '/_/none',
        annotations: Object.entries(annotations).map(([key, value]) => ({ key, value })),
      })
    }
  })

  it('does not run its rule and no other suffers; the fire is answered [sec:S6]', async () => {
    const { status, body } = await post(
      'triggers/hurt',
      binary({ 'content-type': 'application/json' }),
      JSON.stringify({ text }),
    )
    expect(status).toBe(202)
    const settled = await eventually(async () => {
      const answer = await api.call('GET', `activations/${body.activationId}/settlement?waitMs=5000`)
      return answer.status === 200 && answer.body.settled && answer.body
    })
    expect(settled.runs.map(({ rule }: { rule: string }) => rule.split('/').at(-1))).toEqual(['sound'])
    const { logs } = (await api.call('GET', `activations/${body.activationId}`)).body
    expect(JSON.parse(logs.at(-1))).toEqual({ matched: 1, filtered: Object.keys(rules).length })
  })

  it.each(Object.entries(rules))('is explained: %s', async (name, { reason }) => {
    const headers = binary({ 'content-type': 'application/json' })
    const { status, body } = await post(`rules/${name}/explain`, headers, JSON.stringify({ text }))
    expect([status, body.rule, body.matched]).toEqual([200, name, false])
    expect(body.clause).toMatchObject({ path: '/filter', reason: expect.stringMatching(reason) })
  })

  it('is counted by its rule, where the figures can be read', async context => {
    const { status, text: figures } = await api.call('GET', '/metrics', { auth: null })
    if (status !== 200) return context.skip('the figures are behind another door')
    for (const name of ['math', 'cast', 'function', 'evaluation', 'attribute', 'generic', 'loops', 'allocates'])
      expect(figures).toMatch(
        new RegExp(`^sluice_filter_errors_total\\{rule="${hub.mine.namespace}/${name}"\\} [1-9]`, 'm'),
      )
    expect(figures).not.toContain(`rule="${hub.mine.namespace}/sound"`)
  })
})

describe('a transform that goes wrong', () => {
  it('is an error of its own run, soon, and the next one is made [sec:S6]', async () => {
    await putEntity(api, 'triggers/turned', {})
    const transforms = {
      endless: '($f := function($n) { $f($n + 1) }; $f(0))',
      growing: '($f := function($s) { $f($s & $s) }; $f("xxxxxxxx"))',
      listing: '[1, 2]',
      plain: '{"type": type}',
    }
    for (const [name, jsonata] of Object.entries(transforms)) {
      const annotations = [{ key: 'transform', value: { jsonata } }]
      await putEntity(api, `rules/${name}`, { trigger: '/_/turned', action: '/_/none', annotations })
    }
    const { body } = await post('triggers/turned', binary({ 'content-type': 'application/json' }), '{}')
    const runs = await eventually<{ rule: string; status: string }[]>(async () => {
      const answer = await api.call('GET', `activations/${body.activationId}/settlement?waitMs=5000`)
      return answer.status === 200 && answer.body.settled && answer.body.runs
    })
    expect(Object.fromEntries(runs.map(({ rule, status }) => [rule.split('/').at(-1), status]))).toEqual({
      endless: 'action developer error',
      growing: 'action developer error',
      listing: 'action developer error',
      plain: 'success',
    })
  })
})
