/** The Avro cases of the shared conformance data, each by its name, and the published schema as an oracle. */
import avsc from 'avsc'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { attributesOf, contentTypeOf, dataBytes, decodeAvro, encodeAvro } from '../../index.ts'
import * as arbitrary from '../../testing/arbitrary.ts'
import {
  casesOf,
  conformanceIsThere,
  expectCases,
  expectDecoded,
  expectSameEvent,
  readConformance,
} from '../../testing/conformance.ts'

describe.skipIf(!conformanceIsThere)('conformance/cloudevents/avro.json', () => {
  const cases = casesOf('avro.json')
  it('has all cases at hand', () => expectCases(cases, 9, ['decode']))

  for (const { name, wireBase64 = '', expect: expected = {} } of cases) {
    it(name, () => {
      const decode = () => ({ event: decodeAvro(Buffer.from(wireBase64, 'base64')) })
      expectDecoded(expected, decode)
      if (!expected.invalid) expectSameEvent(decodeAvro(encodeAvro(decode().event)), decode().event)
    })
  }
})

describe.skipIf(!conformanceIsThere)('the published schema, through avsc', () => {
  const type = conformanceIsThere ? avsc.Type.forSchema(readConformance('cloudevents.avsc.json') as never) : undefined

  type Published = { attribute: Record<string, unknown>; data: unknown }

  it('reads what we write', () => {
    fc.assert(
      fc.property(arbitrary.event, event => {
        const { attribute, data } = type?.fromBuffer(Buffer.from(encodeAvro(event))) as Published
        const { datacontenttype: _, ...attributes } = attributesOf(event)
        const { datacontenttype, ...read } = Object.fromEntries(
          Object.entries(attribute).map(([name, value]) => [
            name,
            Buffer.isBuffer(value) ? value.toString('base64') : value,
          ]),
        )
        expect(read).toEqual({ ...attributes })
        expect(datacontenttype).toBe(contentTypeOf(event))
        const content = data === null ? undefined : Buffer.isBuffer(data) ? data : Buffer.from(data as string)
        expect(content).toEqual(dataBytes(event) === undefined ? undefined : Buffer.from(dataBytes(event) ?? []))
      }),
    )
  })

  const attribute = { specversion: '1.0', id: '1', source: '/s', type: 't' }
  const record = (value: unknown) => ({ value })
  it.each<[string, unknown, unknown]>([
    ['a string, which is JSON without a type', 'x', 'x'],
    ['a number', -0.5, -0.5],
    ['an object', { a: 'x', n: 1e21, b: true, z: null }, { a: 'x', n: 1e21, b: true, z: null }],
    [
      'objects in an object',
      { o: record({ s: 'x', m: { k: record({ d: 2 }) } }) },
      { o: { s: 'x', m: { k: { d: 2 } } } },
    ],
    ['an array of objects', [record({ a: 1 }), record({ l: [record({})] })], [{ a: 1 }, { l: [{}] }]],
  ])('writes %s, and we read it', (_, data, json) => {
    const wire = type?.toBuffer({ attribute, data }) as Buffer
    const event = decodeAvro(wire)
    expect(event.data).toMatchObject({ kind: 'json', value: json })
    expectSameEvent(decodeAvro(encodeAvro(event)), event)
  })
})
