import { describe, expect, it } from 'vitest'
import {
  bytesData,
  CloudEventError,
  createEvent,
  dataBytes,
  dataMember,
  dataValue,
  encodeJson,
  jsonData,
  jsonTextData,
  textData,
  toJsonObject,
  type EventData,
  type JsonCodec,
} from './index.ts'

function eventWith(data: EventData | undefined, datacontenttype?: string) {
  return createEvent({ id: '1', source: '/s', type: 't', datacontenttype, data })
}

const bytes = (text: string) => bytesData(Buffer.from(text))

describe('what a consumer sees', () => {
  it.each([
    ['JSON bytes', bytes('{"a":1}'), 'application/json', { a: 1 }],
    ['JSON in text', textData('[1]'), 'application/ld+json', [1]],
    ['a JSON value', jsonData('{"a":1}'), 'application/json', '{"a":1}'],
    ['a JSON value without a type', jsonData(null), undefined, null],
    ['text', textData('{"a":1}'), 'text/plain', '{"a":1}'],
    ['bytes of text', bytes('é'), 'text/plain; charset=utf-8', 'é'],
    ['bytes of text in another charset', bytes('e'), 'text/plain; charset=utf-16', Buffer.from('e')],
    ['bytes that are no UTF-8', bytesData(Buffer.from([0xff])), 'text/plain', Buffer.from([0xff])],
    ['bytes', bytes('{}'), 'application/octet-stream', Buffer.from('{}')],
    ['bytes without a type', bytes('{}'), undefined, Buffer.from('{}')],
    ['nothing', undefined, 'application/json', undefined],
  ])('%s', (_, data, type, expected) => {
    expect(dataValue(eventWith(data, type))).toEqual(expected)
  })

  it('is an error when content that says JSON is none', () => {
    expect(() => dataValue(eventWith(bytes('{'), 'application/json'))).toThrow(CloudEventError)
    expect(() => dataValue(eventWith(bytesData(Buffer.from([0xff])), 'application/json'))).toThrow(/UTF-8/)
  })
})

describe('how data stands in JSON', () => {
  it.each([
    ['JSON bytes, as spelled', bytes('{"n": 1.0 }'), 'application/json', 'data', '{"n": 1.0 }'],
    ['JSON bytes that are none', bytes('{'), 'application/json', 'data_base64', '"ew=="'],
    ['text', textData('a"b'), 'text/plain', 'data', '"a\\"b"'],
    ['text of a binary type', textData('ab'), 'application/x', 'data', '"ab"'],
    ['text without a type, which would be JSON', textData('ab'), undefined, 'data_base64', '"YWI="'],
    ['bytes of text', bytes('<a/>'), 'application/xml', 'data', '"<a/>"'],
    ['bytes', bytes('ab'), 'application/octet-stream', 'data_base64', '"YWI="'],
    ['a JSON value', jsonData({ a: [1] }), undefined, 'data', '{"a":[1]}'],
  ])('%s', (_, data, type, name, text) => {
    expect(dataMember(eventWith(data, type))).toEqual({ name, text })
  })
})

const exact = '{"n":12345678901234567890,"f":1.0}'

it('keeps every digit of a number from bytes to bytes', () => {
  expect(Buffer.from(dataBytes(eventWith(jsonTextData(exact))) ?? []).toString()).toBe(exact)
  expect(encodeJson(eventWith(bytes(exact), 'application/json'))).toContain(`"data":${exact}}`)
})

it('lets the caller bring its own JSON, for reading and for writing', () => {
  const json: JsonCodec = {
    parse: text => JSON.parse(text.replace(/\d{16,}/g, '"$&"')) as unknown,
    stringify: value => JSON.stringify(value).replace(/"(\d{16,})"/g, '$1'),
  }
  const value = { n: '12345678901234567890', f: 1 }
  expect(dataValue(eventWith(jsonTextData(exact)), { json })).toEqual(value)
  expect(toJsonObject(eventWith(bytes(exact), 'application/json'), { json })['data']).toEqual(value)
  expect(encodeJson(eventWith(jsonData(value)), { json })).toContain('"data":{"n":12345678901234567890,"f":1}')
})

it('refuses to write what has no JSON', () => {
  const cycle: unknown[] = []
  cycle.push(cycle)
  let deep: unknown = null
  for (let level = 0; level < 100_000; level++) deep = [deep]
  for (const value of [cycle, deep, () => 1, 1n]) {
    expect(() => encodeJson(eventWith(jsonData(value)))).toThrow(CloudEventError)
  }
})
