/** Broken input, seeded: whatever comes, a decoder returns or throws CloudEventError, and soon (reliability.md S3). */
import { expect } from 'vitest'
import {
  CloudEventError,
  createEvent,
  dataValue,
  decodeAmqpEvents,
  decodeAvro,
  decodeHeaderValue,
  decodeHttpEvents,
  decodeJson,
  decodeJsonBatch,
  decodeKafkaEvents,
  decodeMqttEvents,
  decodeProtobuf,
  decodeProtobufBatch,
  decodeXml,
  decodeXmlBatch,
  encodeAvro,
  encodeHttpBinary,
  encodeJson,
  encodeJsonBatch,
  encodeKafkaBinary,
  encodeProtobuf,
  encodeProtobufBatch,
  encodeXml,
  encodeXmlBatch,
  jsonData,
  textData,
  type CloudEvent,
} from '../index.ts'
import { mutate, seeded } from './mutate.ts'

const parts = {
  id: 'A234-1234-1234',
  source: 'https://user@example.com:8080/a?b#c',
  type: 'com.example.someevent',
  subject: 'Euro € 😀 "x" 100%',
  time: '2018-04-05T17:31:00.123Z',
  dataschema: 'urn:schema:1',
  extensions: { text: 'value', number: -5, flag: true, bytes: Uint8Array.of(1, 2, 255) },
}
const event = createEvent({
  ...parts,
  datacontenttype: 'application/json; charset=utf-8',
  data: jsonData({ message: 'Hello "World"!', list: [1, 2.5, null, { deep: true }] }),
})
const xmlEvent = createEvent({
  ...parts,
  datacontenttype: 'application/xml',
  data: textData('<a xmlns="urn:a"><b c="1">x</b><![CDATA[y]]></a>'),
})

/** Data of Avro's own JSON: {"a":"x","o":{"n":1.5},"l":[{}]} as the schema has it. */
const avroJson = Buffer.concat([
  Buffer.from(encodeAvro(createEvent({ id: '1', source: '/s', type: 't' }))).subarray(0, -1),
  Buffer.from('06060261080278026f0402026e08000000000000f83f00026c0402026d060200000000', 'hex'),
])

export type Decoder = readonly [name: string, seed: Uint8Array, decode: (input: Buffer) => readonly CloudEvent[]]

export const decoders: readonly Decoder[] = [
  ['a JSON event', Buffer.from(encodeJson(event)), input => [decodeJson(input)]],
  ['a JSON event as a string', Buffer.from(encodeJson(event)), input => [decodeJson(input.toString())]],
  ['a JSON batch', Buffer.from(encodeJsonBatch([event, event])), input => decodeJsonBatch(input)],
  ['an Avro event', encodeAvro(event), input => [decodeAvro(input)]],
  ['an Avro event with JSON of its own', avroJson, input => [decodeAvro(input)]],
  ['a Protobuf event', encodeProtobuf(event), input => [decodeProtobuf(input)]],
  ['a Protobuf batch', encodeProtobufBatch([event, event]), input => decodeProtobufBatch(input)],
  ['an XML event', Buffer.from(encodeXml(xmlEvent)), input => [decodeXml(input)]],
  ['an XML batch', Buffer.from(encodeXmlBatch([event, xmlEvent])), input => decodeXmlBatch(input)],
  ['an HTTP message in binary mode', block(encodeHttpBinary(event).headers), decodeHeaders],
  ['a structured HTTP message', structuredBlock(), decodeHeaders],
  ['a Kafka record', block(encodeKafkaBinary(event).headers), input => kafka(input)],
  ['an MQTT 5 message', block(unprefixed(encodeKafkaBinary(event).headers)), input => mqtt(input)],
  [
    'an MQTT 3.1.1 message',
    Buffer.from(encodeJson(event)),
    input => decoded(decodeMqttEvents({ payload: input }, { version: 4 })),
  ],
  ['an AMQP message', block(unprefixed(encodeKafkaBinary(event).headers)), input => amqp(input)],
  [
    'a header value',
    Buffer.from(encodeHttpBinary(event).headers['ce-subject'] as string),
    input => [eventOfHeader(input)],
  ],
]

/** Breaks the decoder's seed in so many ways, and tells how many were read and how many refused. */
export function fuzz([, seed, decode]: Decoder, inputs: number): { read: number; refused: number } {
  const outcomes = { read: 0, refused: 0 }
  for (let index = 0; index < inputs; index++) {
    const input = mutate(seed, seeded(index))
    const since = performance.now()
    try {
      for (const one of decode(input)) useUp(one)
      outcomes.read++
    } catch (error) {
      if (!(error instanceof CloudEventError)) throw new Error(`seed ${index}`, { cause: error })
      // [sec:S19]: one line, bounded, without a stack or a value.
      if (!/^CloudEvent '[\x20-\x7e]{0,43}' [\x20-\x7e]{1,320}$/.test(error.message)) {
        throw new Error(error.message, { cause: error })
      }
      outcomes.refused++
    }
    if (performance.now() - since > 1000) throw new Error(`seed ${index} took more than a second`)
  }
  return outcomes
}

/** Both must occur, or the inputs say nothing. */
export function expectBoth({ read, refused }: { read: number; refused: number }, inputs: number): void {
  expect(read).toBeGreaterThan(inputs / 200)
  expect(refused).toBeGreaterThan(inputs / 200)
}

/** An event that came in must go out in every form and come back. */
function useUp(one: CloudEvent): void {
  const documents = [decodeJson(encodeJson(one)), decodeAvro(encodeAvro(one)), decodeProtobuf(encodeProtobuf(one))]
  for (const { id } of [...documents, decodeXml(encodeXml(one))]) if (id !== one.id) throw new Error('the id is lost')
  try {
    const { headers, body } = encodeHttpBinary(one)
    if (decodeHttpEvents(headers, body)?.events[0]?.id !== one.id) throw new Error('HTTP lost the id')
    dataValue(one)
  } catch (error) {
    if (!(error instanceof CloudEventError)) throw error
    expect(['binary-mode', 'json', 'utf8']).toContain(error.rule)
  }
}

function decoded(result: { events: readonly CloudEvent[] } | undefined): readonly CloudEvent[] {
  return result?.events ?? []
}

function block(headers: Readonly<Record<string, string>>): Uint8Array {
  return Buffer.from(
    Object.entries(headers)
      .map(([name, value]) => `${name}: ${value}`)
      .join('\r\n'),
  )
}

function unprefixed(headers: Readonly<Record<string, string>>): Record<string, string> {
  return Object.fromEntries(Object.entries(headers).map(([name, value]) => [name.replace('ce_', ''), value]))
}

function structuredBlock(): Uint8Array {
  return Buffer.from(`content-type: application/cloudevents+json\r\nbody: ${encodeJson(event)}`)
}

function linesOf(input: Buffer, encoding: 'latin1' | 'utf8' = 'utf8'): [string, string][] {
  return input
    .toString(encoding)
    .split('\r\n')
    .map(line => [line.slice(0, line.indexOf(':')), line.slice(line.indexOf(':') + 2)])
}

/** Headers as an HTTP parser might hand them over, doubled ones included. */
function decodeHeaders(input: Buffer): readonly CloudEvent[] {
  const lines = linesOf(input, 'latin1')
  const headers: Record<string, string> = {}
  for (const [name, value] of lines) headers[name.toLowerCase()] ??= value
  const body = headers['body'] === undefined ? input : Buffer.from(headers['body'], 'latin1')
  return decoded(decodeHttpEvents(headers, body, { rawHeaders: lines.flat() }))
}

function listed(input: Buffer): Record<string, string | string[]> {
  const headers: Record<string, string[]> = {}
  for (const [name, value] of linesOf(input)) if (name !== '__proto__') (headers[name] ??= []).push(value)
  return headers
}

function kafka(input: Buffer): readonly CloudEvent[] {
  return decoded(decodeKafkaEvents({ headers: listed(input), value: input }))
}

function mqtt(input: Buffer): readonly CloudEvent[] {
  const { 'content-type': contentType, ...userProperties } = listed(input)
  return decoded(
    decodeMqttEvents({
      payload: input,
      properties: { userProperties, ...(contentType === undefined ? {} : { contentType: String(contentType) }) },
    }),
  )
}

function amqp(input: Buffer): readonly CloudEvent[] {
  const { 'content-type': contentType, ...others } = listed(input)
  const properties = Object.entries(others).map(([name, [value]]) => [`cloudEvents_${name}`, native(String(value))])
  return decoded(
    decodeAmqpEvents({
      contentType: contentType === undefined ? undefined : String(contentType),
      applicationProperties: Object.fromEntries(properties) as Record<string, unknown>,
      payload: input,
    }),
  )
}

/** Numbers and booleans as a client would have them. */
function native(value: string): unknown {
  if (value === 'true') return true
  return /^-?\d+$/.test(value) ? Number(value) : value
}

function eventOfHeader(value: Buffer): CloudEvent {
  const subject = decodeHeaderValue(value.toString('latin1'), 'subject')
  return createEvent({ id: '1', source: '/s', type: 't', subject }, 'accepted')
}
