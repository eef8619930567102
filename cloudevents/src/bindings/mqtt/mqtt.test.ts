import { describe, expect, it } from 'vitest'
import {
  avroFormat,
  createEvent,
  decodeMqtt,
  decodeMqttEvents,
  encodeJson,
  encodeMqttBatch,
  encodeMqttBinary,
  encodeMqttStructured,
  jsonData,
  type MqttMessage,
} from '../../index.ts'

const userProperties = { specversion: '1.0', id: '1', source: '/s', type: 't' }
const event = createEvent({ id: '1', source: '/s', type: 't', data: jsonData({ a: 1 }) })

describe('MQTT 5', () => {
  it.each<[string, MqttMessage['properties'] & object, object]>([
    [
      'a property twice',
      { userProperties: { ...userProperties, subject: ['a', 'b'] } },
      { attribute: 'subject', rule: 'doubled' },
    ],
    ['a name that is none', { userProperties: { ...userProperties, 'x-y': '1' } }, { attribute: 'x-y', rule: 'name' }],
    ['another version', { userProperties: { ...userProperties, specversion: '0.3' } }, { rule: 'version' }],
    ['an unknown format', { contentType: 'application/cloudevents+foo' }, { kind: 'unsupported' }],
    ['a batch where one is asked for', { contentType: 'application/cloudevents-batch+json' }, { kind: 'batch' }],
  ])('refuses %s', (_, properties, error) => {
    expect(() => decodeMqtt({ payload: 'x', properties })).toThrow(expect.objectContaining(error))
  })

  it('takes names of user properties that are no attributes only for a plain message', () => {
    expect(
      decodeMqtt({ payload: 'x', properties: { userProperties: { 'x-y': '1', ['__proto__']: 'a' } } }),
    ).toBeUndefined()
    expect(decodeMqtt({ payload: 'x' })).toBeUndefined()
  })

  it('lets the content type win over a property that repeats it', () => {
    const properties = { contentType: 'text/csv', userProperties: { ...userProperties, datacontenttype: 'text/plain' } }
    expect(decodeMqtt({ payload: 'x', properties })?.event.datacontenttype).toBe('text/csv')
  })

  it('reads batches where asked to', () => {
    expect(decodeMqttEvents(encodeMqttBatch([event, event]))?.events).toHaveLength(2)
  })

  it('bounds the payload', () => {
    const read = () => decodeMqtt({ payload: 'xx', properties: { userProperties } }, { bodyBytesMax: 1 })
    expect(read).toThrow(expect.objectContaining({ kind: 'too-large' }))
  })
})

describe('MQTT 3.1.1', () => {
  const version = { version: 4 } as const

  it('carries JSON without properties', () => {
    expect(encodeMqttStructured(event, version)).toEqual({ payload: Buffer.from(encodeJson(event)) })
    expect(() => encodeMqttStructured(event, { ...version, format: avroFormat })).toThrow(
      /MQTT 3.1.1 carries JSON only/,
    )
  })

  it('ignores properties', () => {
    expect(decodeMqtt(encodeMqttBinary(event), version)).toBeUndefined()
  })

  it.each([
    ['that is no JSON', '{"specversion":"1.0","id":'],
    ['that is null', 'null'],
    ['of another version', '{"specversion":"0.3","id":"1","source":"/s","type":"t"}'],
    ['without a type', '{"specversion":"1.0","id":"1","source":"/s"}'],
    ['that is no UTF-8', Buffer.from([0xff])],
  ])('takes a payload %s for a plain message', (_, payload) => {
    expect(decodeMqtt({ payload }, version)).toBeUndefined()
  })

  it('refuses what says that it is an event and is none', () => {
    const payload = '{"specversion":"1.0","id":"1","source":"/s","type":"t","MyExt":1}'
    expect(() => decodeMqtt({ payload }, version)).toThrow(
      expect.objectContaining({ attribute: 'MyExt', rule: 'name' }),
    )
    const bounded = () => decodeMqtt({ payload }, { ...version, bodyBytesMax: 5 })
    expect(bounded).toThrow(expect.objectContaining({ kind: 'too-large' }))
  })
})
