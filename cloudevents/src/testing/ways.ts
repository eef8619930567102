/** Every way from an event to a protocol message and back: binding × mode × format. */
import {
  decodeAmqp,
  decodeAmqp091,
  decodeAmqpEvents,
  decodeHttpEvents,
  decodeKafka,
  decodeKafkaEvents,
  decodeMqtt,
  decodeMqttEvents,
  encodeAmqp091Binary,
  encodeAmqp091Structured,
  encodeAmqpBatch,
  encodeAmqpBinary,
  encodeAmqpStructured,
  encodeHttpBatch,
  encodeHttpBinary,
  encodeHttpStructured,
  encodeKafkaBatch,
  encodeKafkaBinary,
  encodeKafkaStructured,
  encodeMqttBatch,
  encodeMqttBinary,
  encodeMqttStructured,
  formats,
  protobufFormat,
  type CloudEvent,
} from '../index.ts'
import type { Comparison } from './conformance.ts'

export type Way = {
  readonly name: string
  readonly how: Comparison
  through(event: CloudEvent): CloudEvent | undefined
}

const asText = { asText: true }

const binaryWays: Way[] = [
  { name: 'HTTP, binary', how: asText, through: event => http(encodeHttpBinary(event)) },
  { name: 'Kafka, binary', how: asText, through: event => decodeKafka(encodeKafkaBinary(event))?.event },
  { name: 'Kafka, binary, headers as bytes', how: asText, through: event => decodeKafka(asBytes(event))?.event },
  { name: 'MQTT 5, binary', how: asText, through: event => decodeMqtt(encodeMqttBinary(event))?.event },
  { name: 'AMQP 1.0, binary', how: {}, through: event => decodeAmqp(encodeAmqpBinary(event))?.event },
  { name: 'AMQP 0-9-1, binary', how: {}, through: event => decodeAmqp091(encodeAmqp091Binary(event))?.event },
  {
    name: 'MQTT 3.1.1',
    how: {},
    through: event => decodeMqtt(encodeMqttStructured(event, { version: 4 }), { version: 4 })?.event,
  },
]

const documentWays: Way[] = formats.flatMap(format => {
  const how = format === protobufFormat ? { instants: true } : {}
  const [, name] = format.mediaType.split('+')
  const single: Way[] = [
    { name: `HTTP, ${name}`, how, through: event => http(encodeHttpStructured(event, { format })) },
    { name: `Kafka, ${name}`, how, through: event => decodeKafka(encodeKafkaStructured(event, { format }))?.event },
    { name: `MQTT 5, ${name}`, how, through: event => decodeMqtt(encodeMqttStructured(event, { format }))?.event },
    { name: `AMQP 1.0, ${name}`, how, through: event => decodeAmqp(encodeAmqpStructured(event, { format }))?.event },
    {
      name: `AMQP 0-9-1, ${name}`,
      how,
      through: event => decodeAmqp091(encodeAmqp091Structured(event, { format }))?.event,
    },
  ]
  if (format.batch === undefined) return single
  const last = (decoded: { events: readonly CloudEvent[] } | undefined) => decoded?.events[1]
  const batch: Way[] = [
    { name: `HTTP, batch, ${name}`, how, through: event => http(encodeHttpBatch([event, event], { format })) },
    {
      name: `Kafka, batch, ${name}`,
      how,
      through: event => last(decodeKafkaEvents(encodeKafkaBatch([event, event], { format }))),
    },
    {
      name: `MQTT 5, batch, ${name}`,
      how,
      through: event => last(decodeMqttEvents(encodeMqttBatch([event, event], { format }))),
    },
    {
      name: `AMQP 1.0, batch, ${name}`,
      how,
      through: event => last(decodeAmqpEvents(encodeAmqpBatch([event, event], { format }))),
    },
  ]
  return [...single, ...batch]
})

export const ways: readonly Way[] = [...binaryWays, ...documentWays]

function http({ headers, body }: ReturnType<typeof encodeHttpBinary>): CloudEvent | undefined {
  return decodeHttpEvents(headers, body)?.events.at(-1)
}

/** As clients hand Kafka's headers out. */
function asBytes(event: CloudEvent): Parameters<typeof decodeKafka>[0] {
  const { key, value, headers } = encodeKafkaBinary(event)
  const bytes = Object.entries(headers).map(([name, text]) => [name, Buffer.from(text)])
  return { key, value, headers: Object.fromEntries(bytes) as Record<string, Buffer> }
}
