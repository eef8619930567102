import { createServer, request, type IncomingMessage } from 'node:http'
import type { AddressInfo } from 'node:net'
import { describe, expect, it, onTestFinished } from 'vitest'
import {
  bytesData,
  createEvent,
  dataBytes,
  dataValue,
  decodeHttp,
  decodeHttpEvents,
  encodeHttpBinary,
  encodeHttpStructured,
  jsonData,
  modeOf,
  textData,
  type HttpHeaders,
} from '../../index.ts'
import { expectSameEvent } from '../../testing/conformance.ts'

const attributes = { 'ce-specversion': '1.0', 'ce-id': '1', 'ce-source': '/s', 'ce-type': 't' }
const none = Buffer.alloc(0)

describe('the mode', () => {
  it.each<[string, HttpHeaders, string | undefined]>([
    ['a plain message', { 'content-type': 'application/json', 'ce-id': '1' }, undefined],
    ['binary', attributes, 'binary'],
    ['binary, capitals', { 'Ce-Specversion': '1.0' }, 'binary'],
    ['structured', { 'content-type': ' Application/CloudEvents+JSON;charset=utf-8' }, 'structured'],
    [
      'structured, though ce- headers are there',
      { ...attributes, 'Content-Type': 'application/cloudevents+x' },
      'structured',
    ],
    ['batched', { 'content-type': ['application/cloudevents-batch+json'] }, 'batched'],
  ])('%s', (_, headers, mode) => {
    expect(modeOf(headers)).toBe(mode)
  })
})

describe('reading', () => {
  it('keeps the bytes of a binary body and parses them when asked', () => {
    const body = Buffer.from('{"n": 12345678901234567890}')
    const event = decodeHttp({ ...attributes, 'content-type': 'application/json' }, body)
    expect(event && dataBytes(event)).toBe(body)
    expect(event && dataValue(event)).toEqual({ n: Number('12345678901234567890') })
  })

  it('answers nothing for a message that is no event', () => {
    expect(decodeHttp({ 'content-type': 'application/json' }, Buffer.from('{}'))).toBeUndefined()
    expect(decodeHttpEvents({}, none)).toBeUndefined()
  })

  it.each<[string, HttpHeaders, object]>([
    ['no id', { ...attributes, 'ce-id': undefined }, { attribute: 'id', rule: 'required' }],
    ['an empty version', { ...attributes, 'ce-specversion': '' }, { attribute: 'specversion', rule: 'empty' }],
    ['a doubled header', { ...attributes, 'ce-id': ['1', '1'] }, { attribute: 'id', rule: 'doubled' }],
    [
      'a header in two spellings',
      { ...attributes, 'CE-Ext': '1', 'ce-ext': '2' },
      { attribute: 'ext', rule: 'doubled' },
    ],
    [
      'two content types',
      { ...attributes, 'content-type': ['a/b', 'c/d'] },
      { attribute: 'datacontenttype', rule: 'doubled' },
    ],
    ['an illegal name', { ...attributes, 'ce-my_ext': '1' }, { attribute: 'my_ext', rule: 'name' }],
    ['a prototype', { ...attributes, ['ce-__proto__']: '1' }, { attribute: '__proto__', rule: 'name' }],
    ['an attribute called data', { ...attributes, 'ce-data': '1' }, { attribute: 'data', rule: 'reserved' }],
    [
      'a broken content type',
      { ...attributes, 'content-type': 'json' },
      { attribute: 'datacontenttype', rule: 'media-type' },
    ],
    ['an unknown format', { 'content-type': 'application/cloudevents+foo' }, { kind: 'unsupported', rule: 'format' }],
    ['no format', { 'content-type': 'application/cloudevents' }, { kind: 'unsupported', rule: 'format' }],
    ['another charset', { 'content-type': 'application/cloudevents+json;charset=utf-16' }, { kind: 'unsupported' }],
    ['a batch', { 'content-type': 'application/cloudevents-batch+json' }, { kind: 'batch', rule: 'batch' }],
  ])('refuses %s', (_, headers, error) => {
    expect(() => decodeHttp(headers, none)).toThrow(expect.objectContaining(error))
  })

  it('lists the formats it knows when it refuses one', () => {
    const read = () => decodeHttpEvents({ 'content-type': 'application/cloudevents-batch+avro' }, none)
    expect(read).toThrow(/known are .*cloudevents\+json, .*cloudevents\+avro, .*-batch\+json, .*-batch\+xml in UTF-8/)
  })

  it('lets an incomplete message pass as a plain one when told so', () => {
    const { 'ce-type': _, ...incomplete } = attributes
    expect(decodeHttp(incomplete, none, { incomplete: 'plain' })).toBeUndefined()
    expect(() => decodeHttp(incomplete, none)).toThrow(/'type' is required and missing/)
  })

  it('ignores ce-datacontenttype, for Content-Type says it', () => {
    const headers = { ...attributes, 'ce-datacontenttype': 'text/plain', 'content-type': 'text/csv' }
    expect(decodeHttp(headers, none)?.datacontenttype).toBe('text/csv')
  })

  it('finds doubled headers where Node has joined them', async () => {
    const sent = Object.entries(attributes).flat()
    const { headers, rawHeaders } = await received([...sent, 'CE-Subject', 'a', 'ce-subject', 'b'])
    expect(decodeHttp(headers, none)?.subject).toBe('a, b')
    expect(() => decodeHttp(headers, none, { rawHeaders })).toThrow(
      expect.objectContaining({ attribute: 'subject', rule: 'doubled' }),
    )
    const once = await received([...sent, 'Ce-Subject', 'a, b'])
    expect(decodeHttp(once.headers, none, { rawHeaders: once.rawHeaders })?.subject).toBe('a, b')
  })
})

describe('writing', () => {
  it('refuses to hide a structured event in a binary one', () => {
    const data = textData('{}')
    const event = createEvent({
      id: '1',
      source: '/s',
      type: 't',
      datacontenttype: 'application/CloudEvents+json',
      data,
    })
    expect(() => encodeHttpBinary(event)).toThrow(expect.objectContaining({ rule: 'binary-mode' }))
    const { headers, body } = encodeHttpStructured(event)
    expectSameEvent(decodeHttp(headers, body), event)
  })

  it('sends no content type for bytes that have none', () => {
    const event = createEvent({ id: '1', source: '/s', type: 't', data: bytesData(Buffer.from('x')) })
    expect(encodeHttpBinary(event).headers).toEqual(attributes)
  })

  it('says that a JSON value is JSON', () => {
    const event = createEvent({ id: '1', source: '/s', type: 't', data: jsonData('x') })
    expect(encodeHttpBinary(event)).toEqual({
      headers: { ...attributes, 'content-type': 'application/json' },
      body: Buffer.from('"x"'),
    })
  })
})

/** A request as Node's parser hands it out. */
async function received(headers: string[]): Promise<IncomingMessage> {
  const server = createServer()
  onTestFinished(() => void server.close())
  await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve))
  const { port } = server.address() as AddressInfo
  return await new Promise((resolve, reject) => {
    server.once('request', (message, response) => {
      response.end()
      resolve(message)
    })
    // Node would join an object's doubled names itself; an array is sent as it is.
    const options = { host: '127.0.0.1', port, agent: false, headers: ['Host', 'localhost', ...headers] }
    request(options as never)
      .on('error', reject)
      .end()
  })
}
