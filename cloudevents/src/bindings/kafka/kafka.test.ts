import { describe, expect, it } from 'vitest'
import {
  bytesData,
  createEvent,
  dataBytes,
  decodeKafka,
  decodeKafkaEvents,
  encodeKafkaBatch,
  encodeKafkaBinary,
  encodeKafkaStructured,
  jsonData,
  partitionKeyOf,
  textData,
  xmlFormat,
  type KafkaHeaders,
} from '../../index.ts'

const headers = { ce_specversion: '1.0', ce_id: '1', ce_source: '/s', ce_type: 't' }
const event = createEvent({ id: '1', source: '/s', type: 't', subject: 'Zürich 100%', data: jsonData(1) })

describe('reading', () => {
  it('tells an empty value from none', () => {
    expect(decodeKafka({ headers, value: Buffer.alloc(0) })?.event.data).toEqual(bytesData(Buffer.alloc(0)))
    expect(decodeKafka({ headers, value: null })?.event.data).toBeUndefined()
  })

  it.each<[string, KafkaHeaders, object]>([
    [
      'bytes that are no UTF-8',
      { ...headers, ce_subject: Uint8Array.of(0xc0, 0xa0) },
      { attribute: 'subject', rule: 'utf8' },
    ],
    ['a header twice', { ...headers, ce_subject: ['a', 'b'] }, { attribute: 'subject', rule: 'doubled' }],
    [
      'two content types',
      { ...headers, 'content-type': ['a/b', 'c/d'] },
      { attribute: 'datacontenttype', rule: 'doubled' },
    ],
    ['an illegal name', { ...headers, 'ce_my-ext': 'x' }, { attribute: 'my-ext', rule: 'name' }],
    ['a prototype', { ...headers, ['ce___proto__']: 'x' }, { attribute: '__proto__', rule: 'name' }],
    ['another version', { ...headers, ce_specversion: '0.3' }, { attribute: 'specversion', rule: 'version' }],
    ['an unknown format', { 'content-type': 'application/cloudevents+foo' }, { kind: 'unsupported' }],
    ['a batch where one is asked for', { 'content-type': 'application/cloudevents-batch+json' }, { kind: 'batch' }],
    [
      'a tombstone as a document',
      { 'content-type': 'application/cloudevents+json' },
      { attribute: 'body', rule: 'json' },
    ],
  ])('refuses %s', (_, given, error) => {
    expect(() => decodeKafka({ headers: given, value: null })).toThrow(expect.objectContaining(error))
  })

  it('takes a list of one, and the content type that an attribute names', () => {
    const read = decodeKafka({ headers: { ...headers, ce_subject: [Buffer.from('é')] }, value: 'x' })
    expect(read?.event.subject).toBe('é')
    const named = decodeKafka({ headers: { ...headers, ce_datacontenttype: 'text/csv' }, value: 'x' })
    expect(named?.event.datacontenttype).toBe('text/csv')
  })

  it('bounds the value', () => {
    expect(() => decodeKafka({ headers, value: 'xx' }, { bodyBytesMax: 1 })).toThrow(
      expect.objectContaining({ kind: 'too-large' }),
    )
  })

  it('leaves plain records alone', () => {
    expect(decodeKafka({ value: 'x' })).toBeUndefined()
    expect(decodeKafkaEvents({ headers: { 'content-type': 'application/json' }, value: 'x' })).toBeUndefined()
  })
})

describe('writing', () => {
  it('makes a key only where asked to', () => {
    const keyed = createEvent({ id: '1', source: '/s', type: 't', extensions: { partitionkey: 'p' } })
    expect(encodeKafkaBinary(keyed).key).toBeNull()
    expect(encodeKafkaStructured(keyed, { key: partitionKeyOf }).key).toBe('p')
    expect(encodeKafkaBinary(event, { key: partitionKeyOf }).key).toBeNull()
  })

  it('carries plain UTF-8 and other formats', () => {
    expect(encodeKafkaBinary(event).headers).toMatchObject({
      ce_subject: 'Zürich 100%',
      'content-type': 'application/json',
    })
    const { headers: written, value } = encodeKafkaStructured(event, { format: xmlFormat })
    expect(written).toEqual({ 'content-type': 'application/cloudevents+xml' })
    expect(dataBytes(decodeKafka({ headers: written, value })?.event ?? event)).toEqual(Buffer.from('1'))
    expect(decodeKafkaEvents(encodeKafkaBatch([event, event]))).toMatchObject({
      mode: 'batched',
      events: [{ id: '1' }, {}],
    })
  })

  it('refuses to hide a structured event in a binary one', () => {
    const hidden = createEvent({ ...event, datacontenttype: 'application/cloudevents+json', data: textData('{}') })
    expect(() => encodeKafkaBinary(hidden)).toThrow(expect.objectContaining({ rule: 'binary-mode' }))
  })
})
