import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import {
  attributesOf,
  bytesData,
  contentTypeOf,
  createEvent,
  dataBytes,
  decodeProtobuf,
  decodeProtobufBatch,
  encodeProtobuf,
  encodeProtobufBatch,
  protobufData,
  textData,
  type CloudEvent,
} from '../../index.ts'
import * as arbitrary from '../../testing/arbitrary.ts'
import { expectSameEvent } from '../../testing/conformance.ts'
import { published, readPublished } from '../../testing/published-protobuf.ts'
import { timestampOf, timestampText } from './timestamp.ts'

const attributes = { id: '1', source: '/s', type: 't' }
const field = (number: number, body: Uint8Array) => Buffer.concat([Uint8Array.of(number * 8 + 2, body.length), body])
const text = (number: number, value: string) => field(number, Buffer.from(value))
const required = [text(1, '1'), text(2, '/s'), text(3, '1.0'), text(4, 't')]
const attribute = (name: string, value: Uint8Array) => field(5, Buffer.concat([text(1, name), field(2, value)]))
const message = (...fields: Uint8Array[]) => Buffer.concat([...required, ...fields])

describe('reading', () => {
  it('takes what the wire allows: unknown fields, groups, a field twice, an empty value', () => {
    const group = Uint8Array.of(0x7b, 8, 1, 0x7c)
    const wire = message(text(1, 'again'), text(15, 'unknown'), group, attribute('gone', new Uint8Array(0)))
    const event = decodeProtobuf(wire)
    expect(event.id).toBe('again')
    expect({ ...event.extensions }).toEqual({})
  })

  it('takes zero, false and empty for values', () => {
    const wire = message(
      attribute('zero', Uint8Array.of(16, 0)),
      attribute('no', Uint8Array.of(8, 0)),
      attribute('empty', Uint8Array.of(26, 0)),
      attribute('minus', Uint8Array.of(16, ...new Array<number>(9).fill(255), 1)),
    )
    expect({ ...decodeProtobuf(wire).extensions }).toEqual({ zero: 0, no: false, empty: '', minus: -1 })
  })

  it.each<[string, Uint8Array, object]>([
    ['bad UTF-8', message(field(7, Uint8Array.of(0xff))), { rule: 'utf8' }],
    ['a cut field', message(Uint8Array.of(0x3a, 5, 0x61)), { rule: 'protobuf' }],
    ['a length beyond 32 bits', message(Uint8Array.of(0x3a, 255, 255, 255, 255, 255, 1)), { rule: 'protobuf' }],
    ['the wire type 7', message(Uint8Array.of(0x0f)), { rule: 'protobuf' }],
    ['the end of no group', message(Uint8Array.of(0x7c)), { rule: 'protobuf' }],
    ['groups in groups without end', message(new Uint8Array(100_000).fill(0x7b)), { rule: 'protobuf' }],
    [
      'an attribute that has its own field',
      message(attribute('id', Uint8Array.of(26, 0))),
      { attribute: 'id', rule: 'doubled' },
    ],
    [
      'a subject that is a number',
      message(attribute('subject', Uint8Array.of(16, 1))),
      { attribute: 'subject', rule: 'string' },
    ],
    [
      'a time in the year 10000',
      message(attribute('time', Uint8Array.of(58, 7, 8, 128, 168, 226, 149, 176, 7))),
      { attribute: 'time', rule: 'timestamp' },
    ],
    ['a capital in a name', message(attribute('aB', Uint8Array.of(26, 0))), { attribute: 'aB', rule: 'name' }],
  ])('refuses %s', (_, wire, error) => {
    expect(() => decodeProtobuf(wire)).toThrow(expect.objectContaining({ kind: 'invalid', ...error }))
  })

  it('bounds batches and says which event is broken', () => {
    const event = createEvent(attributes)
    const wire = encodeProtobufBatch([event, event, event])
    expect(() => decodeProtobufBatch(wire, { batchEventsMax: 2 })).toThrow(expect.objectContaining({ rule: 'count' }))
    expect(() => decodeProtobufBatch(wire, { bodyBytesMax: 5 })).toThrow(expect.objectContaining({ rule: 'size' }))
    const broken = Buffer.concat([wire, field(1, text(1, '1'))])
    expect(() => decodeProtobufBatch(broken)).toThrow(/'specversion' is required .*in event 3 of the batch/)
  })
})

describe('writing', () => {
  it('keeps which message its data is', () => {
    const data = protobufData('type.googleapis.com/a.B', Buffer.from([8, 1]))
    const event = createEvent({ ...attributes, datacontenttype: 'application/protobuf', data })
    expect(decodeProtobuf(encodeProtobuf(event)).data).toEqual(data)
  })

  it('tells empty data from none', () => {
    const through = (event: CloudEvent) => decodeProtobuf(encodeProtobuf(event)).data
    expect(through(createEvent({ ...attributes, data: bytesData(new Uint8Array(0)) }))).toMatchObject({ kind: 'bytes' })
    expect(through(createEvent({ ...attributes, data: textData('') }))).toEqual({ kind: 'text', text: '' })
    expect(through(createEvent(attributes))).toBeUndefined()
  })

  it.each(['2016-12-31T23:59:60Z', '2018-04-05T17:31:00.0123456789Z', '0000-12-31T23:59:59Z'])(
    'keeps the time %s, which a Timestamp cannot hold',
    time => expect(decodeProtobuf(encodeProtobuf(createEvent({ ...attributes, time }))).time).toBe(time),
  )

  it('gives the documented extensions their types', () => {
    const extensions = { dataref: '/data/1', expirytime: '2018-04-05T17:31:00.5+02:00', recordedtime: 'soon' }
    const wire = encodeProtobuf(createEvent({ ...attributes, extensions }))
    expect(readPublished(published.event, wire)).toMatchObject({
      attributes: {
        dataref: { attr: { case: 'ceUriRef', value: '/data/1' } },
        expirytime: { attr: { case: 'ceTimestamp', value: { seconds: 1522942260n, nanos: 500_000_000 } } },
        recordedtime: { attr: { case: 'ceString', value: 'soon' } },
      },
    })
    expect(decodeProtobuf(wire).extensions['expirytime']).toBe('2018-04-05T15:31:00.500Z')
  })
})

const cases = { string: 'ceString', number: 'ceInteger', boolean: 'ceBoolean', object: 'ceBytes' } as const

it('the published schema reads what we write', () => {
  fc.assert(
    fc.property(arbitrary.event, event => {
      const {
        attributes: read,
        data,
        ...fields
      } = readPublished(published.event, encodeProtobuf(event)) as {
        attributes: Record<string, { attr: { case: string; value: unknown } }>
        data: { case?: string; value?: string | Uint8Array }
      }
      expect(fields).toMatchObject({ id: event.id, source: event.source, specVersion: '1.0', type: event.type })
      for (const [name, value] of Object.entries(event.extensions)) {
        const bytes = typeof value === 'object' ? Uint8Array.from(value) : value
        expect(read[name]?.attr).toEqual({ case: cases[typeof value as 'string'], value: bytes })
      }
      expect(read['datacontenttype']?.attr.value).toBe(contentTypeOf(event))
      expect(read['time']?.attr.case).toBe(event.time === undefined ? undefined : 'ceTimestamp')
      expect(Object.keys(read).length + 4).toBe(
        Object.keys(attributesOf(event)).length + (event.datacontenttype === contentTypeOf(event) ? 0 : 1),
      )
      const { value } = data
      expect(value === undefined ? undefined : Buffer.from(value as string)).toEqual(
        event.data === undefined ? undefined : Buffer.from(dataBytes(event) ?? []),
      )
    }),
  )
})

it('an event through Protobuf is the same event', () => {
  fc.assert(
    fc.property(arbitrary.event, event => {
      expectSameEvent(decodeProtobuf(encodeProtobuf(event)), event, { instants: true })
    }),
  )
})

it('timestamps go there and back', () => {
  for (const time of ['0001-01-01T00:00:00Z', '1969-12-31T23:59:59.999999999Z', '9999-12-31T23:59:59.100Z']) {
    expect(timestampText(timestampOf(time) ?? { seconds: NaN, nanos: 0 })).toBe(time)
  }
  expect(timestampText({ seconds: 0, nanos: 1_000_000_000 })).toBeUndefined()
  expect(timestampText({ seconds: 253_402_300_800, nanos: 0 })).toBeUndefined()
})
