/** Events of the official SDK arrive here, and ours arrive there. */
import { CloudEvent as SdkEvent, HTTP, Kafka, MQTT } from 'cloudevents'
import { expect, it } from 'vitest'
import {
  attributesOf,
  createEvent,
  dataValue,
  decodeHttp,
  decodeHttpEvents,
  decodeKafka,
  decodeMqtt,
  encodeHttpBatch,
  encodeHttpBinary,
  encodeHttpStructured,
  encodeKafkaBinary,
  encodeKafkaStructured,
  encodeMqttBinary,
  encodeMqttStructured,
  jsonData,
  type CloudEvent,
} from './index.ts'

const attributes = {
  id: '1',
  source: '/s',
  type: 't',
  subject: 'a',
  time: '2018-04-05T17:31:00.000Z',
  datacontenttype: 'application/json',
}
const data = { message: 'Hello', list: [1, 2] }

it.each([
  ['binary', HTTP.binary],
  ['structured', HTTP.structured],
])('reads what the SDK sends in %s mode', (_, send) => {
  const { headers, body } = send(new SdkEvent({ ...attributes, comexample: 'x', data }))
  const event = decodeHttp(headers, Buffer.from(body as string))
  expect(event && { ...attributesOf(event) }).toEqual({ specversion: '1.0', ...attributes, comexample: 'x' })
  expect(event && dataValue(event)).toEqual(data)
})

it.each([
  ['binary', encodeHttpBinary],
  ['structured', encodeHttpStructured],
])('sends in %s mode what the SDK reads', (_, send) => {
  const event = createEvent({ ...attributes, extensions: { comexample: 'x' }, data: jsonData(data) })
  const { headers, body } = send(event)
  const read = HTTP.toEvent({ headers: { ...headers }, body: Buffer.from(body).toString() }) as SdkEvent<unknown>
  expect(read.validate()).toBe(true)
  expect(read.toJSON()).toMatchObject({ specversion: '1.0', ...attributes, comexample: 'x', data })
})

const sdkEvent = new SdkEvent({ ...attributes, comexample: 'x', data })
const ours = createEvent({ ...attributes, extensions: { comexample: 'x' }, data: jsonData(data) })

function expectOurs(event: CloudEvent | undefined): void {
  expect(event && { ...attributesOf(event) }).toEqual({ specversion: '1.0', ...attributes, comexample: 'x' })
  expect(event && dataValue(event)).toEqual(data)
}

function expectTheirs(event: unknown): void {
  const read = event as SdkEvent<unknown>
  expect(read.validate()).toBe(true)
  expect(read.toJSON()).toMatchObject({ specversion: '1.0', ...attributes, comexample: 'x' })
}

it('reads batches of the SDK, and sends those that it reads', () => {
  const events = decodeHttpEvents(
    { 'content-type': 'application/cloudevents-batch+json' },
    Buffer.from(JSON.stringify([sdkEvent, sdkEvent])),
  )?.events
  expect(events).toHaveLength(2)
  expectOurs(events?.[1])
  const { headers, body } = encodeHttpBatch([ours, ours])
  const read = HTTP.toEvent({ headers: { ...headers }, body: Buffer.from(body).toString() }) as SdkEvent<unknown>[]
  expect(read).toHaveLength(2)
  expectTheirs(read[1])
})

it('reads Kafka records of the SDK, and sends those that it reads', () => {
  const binary = Kafka.binary(sdkEvent)
  expectOurs(decodeKafka({ headers: binary.headers, value: Buffer.from(JSON.stringify(binary.value)) })?.event)
  const structured = Kafka.structured(sdkEvent)
  expectOurs(decodeKafka({ headers: structured.headers, value: structured.value })?.event)
  for (const { headers, value, key } of [encodeKafkaBinary(ours), encodeKafkaStructured(ours)]) {
    const message = { key: key ?? undefined, value: Buffer.from(value ?? []).toString(), headers: { ...headers } }
    expectTheirs(Kafka.toEvent({ ...message, body: message.value }))
  }
})

it('reads MQTT messages of the SDK, and sends those that it reads', () => {
  const { headers: userProperties, body } = MQTT.binary(sdkEvent)
  const properties = { contentType: 'application/json', userProperties: withoutType(userProperties as never) }
  expectOurs(decodeMqtt({ payload: Buffer.from(JSON.stringify(body)), properties })?.event)
  const structured = MQTT.structured(sdkEvent)
  expectOurs(
    decodeMqtt({
      payload: Buffer.from(JSON.stringify(structured.body)),
      properties: { contentType: 'application/cloudevents+json' },
    })?.event,
  )
  const sent = encodeMqttBinary(ours)
  const headers = { ...sent.properties?.userProperties, datacontenttype: 'application/json' }
  const payload = Buffer.from(sent.payload).toString()
  expectTheirs(MQTT.toEvent({ headers, body: payload, payload, PUBLISH: {}, 'User Properties': headers } as never))
  expectOurs(decodeMqtt(encodeMqttStructured(ours))?.event)
})

/** The SDK has no place for MQTT 5's content type: it sends it among the user properties. */
function withoutType({ datacontenttype: _, ...others }: Record<string, string>): Record<string, string> {
  return others
}
