/** What a few bytes can make many of is counted. */
import { expect, it } from 'vitest'
import {
  createEvent,
  decodeAmqp,
  decodeAvro,
  decodeHttp,
  decodeJson,
  decodeKafka,
  decodeMqtt,
  decodeProtobuf,
  decodeXml,
  defaultLimits,
  encodeAmqpBinary,
  encodeAvro,
  encodeHttpBinary,
  encodeJson,
  encodeKafkaBinary,
  encodeMqttBinary,
  encodeProtobuf,
  encodeXml,
  textData,
  type DecodeLimits,
} from './index.ts'

const extensions = Object.fromEntries(Array.from({ length: 20 }, (_, index) => [`a${index}`, 'x']))
const event = createEvent({ id: '1', source: '/s', type: 't', extensions })

it.each<[string, (limits: DecodeLimits) => unknown]>([
  ['JSON', limits => decodeJson(encodeJson(event), limits)],
  ['Avro', limits => decodeAvro(encodeAvro(event), limits)],
  ['Protobuf', limits => decodeProtobuf(encodeProtobuf(event), limits)],
  ['XML', limits => decodeXml(encodeXml(event), limits)],
  ['Kafka', limits => decodeKafka(encodeKafkaBinary(event), limits)],
  ['MQTT', limits => decodeMqtt(encodeMqttBinary(event), limits)],
  ['AMQP', limits => decodeAmqp(encodeAmqpBinary(event), limits)],
])('attributes in %s', (_, decode) => {
  expect(decode({ attributesMax: 24 })).toBeDefined()
  expect(() => decode({ attributesMax: 19 })).toThrow(
    expect.objectContaining({ kind: 'too-large', rule: 'attributes' }),
  )
})

it('elements and their attributes in XML', () => {
  const decode = (data: string, limits: DecodeLimits) => {
    const parts = { id: '1', source: '/s', type: 't', datacontenttype: 'application/xml', data: textData(data) }
    return decodeXml(encodeXml(createEvent(parts)), limits)
  }
  const elements = `<a>${'<b/>'.repeat(10)}</a>`
  expect(decode(elements, { valuesMax: 17 })).toBeDefined()
  expect(() => decode(elements, { valuesMax: 16 })).toThrow(expect.objectContaining({ rule: 'values' }))
  const attributes = '<a b="" c="" d="" e="" f="" g=""/>'
  expect(decode(attributes, { attributesMax: 6 })).toBeDefined()
  expect(() => decode(attributes, { attributesMax: 5 })).toThrow(expect.objectContaining({ rule: 'attributes' }))
})

it('values in JSON of Avro: four million empty objects in as many bytes', () => {
  const head = Buffer.from(encodeAvro(createEvent({ id: '1', source: '/s', type: 't' }))).subarray(0, -1)
  const count = defaultLimits.bodyBytesMax - 100
  const long: number[] = []
  for (let rest = count * 2; rest > 0; rest = Math.floor(rest / 128)) long.push((rest % 128) + (rest >= 128 ? 128 : 0))
  const body = Buffer.concat([head, Uint8Array.of(8, ...long), Buffer.alloc(count + 1)])
  const since = performance.now()
  expect(() => decodeAvro(body)).toThrow(expect.objectContaining({ kind: 'too-large', rule: 'values' }))
  expect(performance.now() - since).toBeLessThan(1000)
})

it('bodies in binary mode', () => {
  const { headers } = encodeHttpBinary(event)
  expect(decodeHttp(headers, Buffer.alloc(5), { bodyBytesMax: 5 })).toBeDefined()
  expect(() => decodeHttp(headers, Buffer.alloc(6), { bodyBytesMax: 5 })).toThrow(
    expect.objectContaining({ kind: 'too-large', rule: 'size' }),
  )
})
