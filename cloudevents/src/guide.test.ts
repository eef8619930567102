/** The examples of docs/guides/cloudevents.md, which quotes the parts between the marks. */
import { readFileSync } from 'node:fs'
import { expect, it } from 'vitest'
import {
  avroFormat,
  bytesData,
  CloudEventError,
  createEvent,
  dataBytes,
  dataValue,
  decodeAmqp091,
  decodeHttp,
  decodeHttpEvents,
  decodeKafka,
  decodeMqtt,
  encodeAmqp091Binary,
  encodeHttpBatch,
  encodeHttpBinary,
  encodeHttpStructured,
  encodeJson,
  encodeKafkaBinary,
  encodeMqttBinary,
  encodeMqttStructured,
  jsonData,
  jsonTextData,
  partitionKeyOf,
  protobufFormat,
  readExtension,
  textData,
  toJsonObject,
  writeExtensions,
} from './index.ts'

// quoted: event
const event = createEvent({
  id: 'A234-1234-1234',
  source: '/sensors/tn-1234567/alerts',
  type: 'com.example.temperature',
  subject: 'Zürich 3',
  time: '2018-04-05T17:31:00Z',
  extensions: { partitionkey: 'tn-1234567', floor: 3, outside: false },
  data: jsonData({ celsius: 21.5 }),
})
// end

it('makes an event', () => {
  // quoted: data
  jsonData({ celsius: 21.5 }) // a JSON value, of which the event keeps a copy
  jsonTextData('{"n":12345678901234567890}') // JSON whose digits matter
  textData('<a/>') // text: set datacontenttype
  bytesData(Uint8Array.of(0, 1, 255)) // bytes: the event keeps these very bytes, so do not change them
  // end

  // quoted: read
  expect(event.source).toBe('/sensors/tn-1234567/alerts')
  expect(event.extensions['floor']).toBe(3)
  expect(dataValue(event)).toEqual({ celsius: 21.5 })
  expect(Buffer.from(dataBytes(event) ?? []).toString()).toBe('{"celsius":21.5}')
  expect(toJsonObject(event)).toMatchObject({ specversion: '1.0', subject: 'Zürich 3', data: { celsius: 21.5 } })
  // end
})

it('says what is wrong', () => {
  // quoted: errors
  const error = caught(() => createEvent({ id: '1', source: 'not a URI', type: 't' }))
  expect(error).toBeInstanceOf(CloudEventError)
  expect(error).toMatchObject({ kind: 'invalid', attribute: 'source', rule: 'uri-reference' })
  expect(error.message).toBe("CloudEvent 'source' must be a URI reference (RFC 3986)")
  // end
})

it('goes over HTTP', () => {
  // quoted: http
  const { headers, body } = encodeHttpBinary(event)
  expect(headers['ce-subject']).toBe('Z%C3%BCrich%203')
  expect(decodeHttp(headers, body)?.subject).toBe('Zürich 3')

  const structured = encodeHttpStructured(event, { format: protobufFormat })
  expect(structured.headers['content-type']).toBe('application/cloudevents+protobuf')
  expect(decodeHttp(structured.headers, structured.body)?.extensions['floor']).toBe(3)

  const batch = encodeHttpBatch([event, event])
  expect(decodeHttpEvents(batch.headers, batch.body)?.events).toHaveLength(2)

  expect(decodeHttp({ 'content-type': 'application/json' }, body)).toBeUndefined() // no event, no error
  // end
})

it('goes over Kafka', () => {
  // quoted: kafka
  const record = encodeKafkaBinary(event, { key: partitionKeyOf })
  expect(record.key).toBe('tn-1234567')
  expect(record.headers).toMatchObject({ ce_subject: 'Zürich 3', 'content-type': 'application/json' })

  const received = decodeKafka(record)
  expect(received).toMatchObject({ mode: 'binary', event: { id: 'A234-1234-1234' } })
  // end
})

it('goes over MQTT', () => {
  // quoted: mqtt
  const { payload, properties } = encodeMqttBinary(event) // MQTT 5: client.publish(topic, payload, { properties })
  expect(properties.userProperties).toMatchObject({ id: 'A234-1234-1234', floor: '3' })
  expect(decodeMqtt({ payload, properties })?.event.subject).toBe('Zürich 3')

  const old = encodeMqttStructured(event, { version: 4 }) // MQTT 3.1.1: a JSON document
  expect(decodeMqtt(old, { version: 4 })?.event.extensions['floor']).toBe(3)
  // end
})

it('goes over AMQP', () => {
  // quoted: amqp
  const { content, properties } = encodeAmqp091Binary(event) // channel.publish(exchange, key, Buffer.from(content), properties)
  expect(properties.headers).toMatchObject({ cloudEvents_id: 'A234-1234-1234', cloudEvents_floor: 3 })
  expect(decodeAmqp091({ content, properties })?.event.extensions['outside']).toBe(false)
  // end
})

it('has formats of its own right', () => {
  // quoted: formats
  const bytes = avroFormat.encode(event)
  expect(avroFormat.decode(bytes).subject).toBe('Zürich 3')
  // end
})

it('gives extensions their types', () => {
  // quoted: extensions
  const sampled = createEvent({
    ...event,
    extensions: writeExtensions({ sampledrate: 30, expirytime: new Date('2018-04-06T00:00:00Z') }),
  })
  const { headers, body } = encodeHttpBinary(sampled)
  expect(headers['ce-sampledrate']).toBe('30')

  const received = decodeHttp(headers, body) // over HTTP everything is text
  expect(received?.extensions['sampledrate']).toBe('30')
  expect(received && readExtension(received, 'sampledrate')).toBe(30)
  expect(received && readExtension(received, 'expirytime')).toEqual(new Date('2018-04-06T00:00:00Z'))
  // end
})

it('keeps digits', () => {
  // quoted: digits
  const exact = '{"n":12345678901234567890,"f":1.0}'
  const precise = createEvent({ id: '1', source: '/s', type: 't', data: jsonTextData(exact) })
  expect(encodeJson(precise)).toContain(`"data":${exact}}`)
  // end
})

it('has limits', () => {
  // quoted: limits
  const { headers, body } = encodeHttpBatch([event, event, event])
  const limits = { bodyBytesMax: 1_000_000, batchEventsMax: 2, depthMax: 100 }
  const error = caught(() => decodeHttpEvents(headers, body, limits))
  expect(error).toMatchObject({ kind: 'too-large', rule: 'count' })
  // end
})

it('stands in the guide as it stands here', () => {
  const source = readFileSync(new URL('./guide.test.ts', import.meta.url), 'utf8')
  const page = readFileSync(new URL('../../docs/guides/cloudevents.md', import.meta.url), 'utf8')
  const quoted = [...source.matchAll(/^( *)\/\/ quoted: \w+\n(.*?)^ *\/\/ end$/gms)].map(([, indent = '', text = '']) =>
    text.replace(new RegExp(`^${indent}`, 'gm'), '').trim(),
  )
  const blocks = [...page.matchAll(/^```ts\n(.*?)^```$/gms)].map(([, text = '']) => text.trim())
  expect(quoted.length).toBeGreaterThan(9)
  expect(blocks).toEqual(quoted)
  // `sh` is run by test/api/guides.test.ts.
  const kinds = new Set([...page.matchAll(/^```(.*)\n[^]*?^```$/gm)].map(([, kind]) => kind))
  expect([...kinds].sort()).toEqual(['sh', 'ts'])
})

function caught(run: () => unknown): Error {
  try {
    run()
  } catch (error) {
    if (error instanceof Error) return error
  }
  throw new Error('nothing was thrown')
}
