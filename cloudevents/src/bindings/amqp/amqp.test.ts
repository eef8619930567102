import { describe, expect, it } from 'vitest'
import {
  createEvent,
  decodeAmqp,
  decodeAmqp091,
  decodeAmqp091Events,
  encodeAmqp091Binary,
  encodeAmqpBatch,
  encodeAmqpBinary,
  textData,
} from '../../index.ts'

const required = {
  cloudEvents_specversion: '1.0',
  cloudEvents_id: '1',
  cloudEvents_source: '/s',
  cloudEvents_type: 't',
}
const decode = (more: object) => decodeAmqp({ applicationProperties: { ...required, ...more }, payload: '' })?.event

describe('reading', () => {
  it('takes values of the types that libraries have', () => {
    const event = decode({
      'cloudEvents:long': 5n,
      cloudEvents_bytes: Buffer.from([1, 2]),
      cloudEvents_time: new Date(1522900584001),
      cloudEvents_recordedtime: { '!': 'timestamp', value: 1522900584 },
      cloudEvents_nothing: null,
      'x-death': [{ count: 1 }],
    })
    expect(event?.time).toBe('2018-04-05T03:56:24.001Z')
    expect({ ...event?.extensions }).toEqual({
      long: 5,
      bytes: Uint8Array.of(1, 2),
      recordedtime: '2018-04-05T03:56:24Z',
    })
  })

  it.each<[string, object, object]>([
    ['an integer of 64 bits', { cloudEvents_n: 2n ** 40n }, { attribute: 'n', rule: 'int32' }],
    ['a fraction', { cloudEvents_n: 0.5 }, { attribute: 'n', rule: 'int32' }],
    ['a table', { cloudEvents_n: { a: 1 } }, { attribute: 'n', rule: 'extension-type' }],
    ['a timestamp that is none', { cloudEvents_time: new Date(NaN) }, { attribute: 'time', rule: 'timestamp' }],
    ['an id that is a number', { cloudEvents_id: 5 }, { attribute: 'id', rule: 'string' }],
    ['an attribute in both spellings', { 'cloudEvents:id': '1' }, { attribute: 'id', rule: 'doubled' }],
    ['an illegal name', { cloudEvents_aB: '1' }, { attribute: 'aB', rule: 'name' }],
  ])('refuses %s', (_, more, error) => {
    expect(() => decode(more)).toThrow(expect.objectContaining({ kind: 'invalid', ...error }))
  })

  it('bounds the payload, and reads a batch only where asked to', () => {
    const message = { applicationProperties: required, payload: 'xx' }
    expect(() => decodeAmqp(message, { bodyBytesMax: 1 })).toThrow(expect.objectContaining({ kind: 'too-large' }))
    const event = createEvent({ id: '1', source: '/s', type: 't' })
    const { contentType, payload } = encodeAmqpBatch([event, event])
    const batch = { content: payload, properties: { contentType } }
    expect(() => decodeAmqp091(batch)).toThrow(expect.objectContaining({ kind: 'batch' }))
    expect(decodeAmqp091Events(batch)?.events).toHaveLength(2)
  })
})

it('writes what amqplib and AMQP 1.0 clients take', () => {
  const event = createEvent({
    id: '1',
    source: '/s',
    type: 't',
    datacontenttype: 'text/plain',
    extensions: { n: 5, flag: true, bytes: Uint8Array.of(1) },
    data: textData('é'),
  })
  const headers = { ...required, cloudEvents_n: 5, cloudEvents_flag: true, cloudEvents_bytes: Uint8Array.of(1) }
  const payload = Buffer.from('é')
  expect(encodeAmqpBinary(event)).toEqual({ contentType: 'text/plain', applicationProperties: headers, payload })
  expect(encodeAmqp091Binary(event)).toEqual({ content: payload, properties: { contentType: 'text/plain', headers } })
  const hidden = createEvent({ ...event, datacontenttype: 'application/cloudevents+xml' })
  expect(() => encodeAmqp091Binary(hidden)).toThrow(expect.objectContaining({ rule: 'binary-mode' }))
})
