import {
  createEvent,
  dataValue,
  decodeAvro,
  decodeHttp,
  decodeJson,
  decodeProtobuf,
  encodeAvro,
  encodeHttpBinary,
  encodeHttpStructured,
  encodeJson,
  encodeProtobuf,
  jsonData,
} from '@sluice/cloudevents'
import { HTTP } from 'cloudevents'
import { median } from '../load.mjs'

/** One event of about 1 KB through formats and bindings, on one core, beside the official SDK in the same run. */
export function cloudevents({ quick }) {
  const seconds = quick ? 0.2 : 1
  const per = work => perSecond(work, seconds)
  const binary = encodeHttpBinary(event)
  const structured = encodeHttpStructured(event)
  const [binaryBody, structuredBody] = [binary, structured].map(({ body }) => Buffer.from(body))
  const [binaryText, structuredText] = [binaryBody, structuredBody].map(body => body.toString())
  const avro = encodeAvro(event)
  const protobuf = encodeProtobuf(event)

  // In turns, so that both meet the same machine.
  const decodedBinary = per(() => decodeHttp(binary.headers, binaryBody))
  const sdkBinary = per(() => HTTP.toEvent({ headers: binary.headers, body: binaryText }))
  const decodedStructured = per(() => decodeHttp(structured.headers, structuredBody))
  const sdkStructured = per(() => HTTP.toEvent({ headers: structured.headers, body: structuredText }))
  return {
    'HTTP binary 1 KB decoded, per s': decodedBinary,
    'HTTP binary decoded, times the SDK': decodedBinary / sdkBinary,
    'HTTP binary decoded and its data parsed, per s': per(() => dataValue(decodeHttp(binary.headers, binaryBody))),
    'HTTP structured 1 KB decoded, per s': decodedStructured,
    'HTTP structured decoded, times the SDK': decodedStructured / sdkStructured,
    'JSON decoded from text, per s': per(() => decodeJson(structuredText)),
    'Avro 1 KB decoded, per s': per(() => decodeAvro(avro)),
    'Protobuf 1 KB decoded, per s': per(() => decodeProtobuf(protobuf)),
    'HTTP binary encoded, per s': per(() => encodeHttpBinary(event)),
    'JSON encoded, per s': per(() => encodeJson(event)),
    'Avro encoded, per s': per(() => encodeAvro(event)),
    'Protobuf encoded, per s': per(() => encodeProtobuf(event)),
  }
}

const event = createEvent({
  id: 'A234-1234-1234',
  source: 'https://github.com/cloudevents/spec/pull',
  type: 'com.github.pull_request.opened',
  subject: '123',
  time: '2018-04-05T17:31:00.123Z',
  datacontenttype: 'application/json',
  dataschema: 'https://example.com/schema/v1/pull.json',
  extensions: {
    partitionkey: 'device-1729',
    sequence: '00000000000000000042',
    traceparent: '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01',
    sampledrate: 30,
  },
  data: jsonData({
    device: 'thermometer-17',
    place: { city: 'Zürich', floor: 3, room: 'B 304', position: [47.3769, 8.5417] },
    readings: Array.from({ length: 6 }, (_, index) => ({
      at: `2018-04-05T17:3${index}:00Z`,
      celsius: 21.5 + index / 8,
      humidity: 40 + index,
      ok: index !== 3,
    })),
    firmware: { version: '4.2.1', build: 'c0ffee', features: ['ota', 'mesh', 'sleep'] },
    note: 'Readings are averages of one minute; a missing one is null. Calibrated last spring.',
  }),
})

/** Calls per second: the median of slices of a tenth of a second, after as long a warm-up. */
function perSecond(work, seconds) {
  const slice = 100
  for (const until = performance.now() + 200; performance.now() < until;) work()
  const slices = []
  for (let left = Math.max(2, Math.round((seconds * 1000) / slice)); left > 0; left--) {
    const began = performance.now()
    let calls = 0
    let now = began
    while (now - began < slice) {
      for (let call = 0; call < 200; call++) work()
      calls += 200
      now = performance.now()
    }
    slices.push(calls / ((now - began) / 1000))
  }
  return median(slices)
}
