/** The MQTT cases of the shared conformance data, each by its name. */
import { describe, expect, it } from 'vitest'
import { decodeMqtt, encodeMqttBinary, encodeMqttStructured } from '../../index.ts'
import {
  bytesOfCase,
  casesOf,
  conformanceIsThere,
  eventOfCase,
  expectCases,
  expectDecoded,
  type Case,
  type CaseEvent,
} from '../../testing/conformance.ts'

describe.skipIf(!conformanceIsThere)('conformance/cloudevents/mqtt.json', () => {
  const cases = casesOf('mqtt.json')
  it('has all cases at hand', () => expectCases(cases, 10, ['decode', 'encode']))
  for (const one of cases) it(one.name, () => (one.kind === 'decode' ? decodes(one) : encodes(one)))
})

function decodes({
  protocol = 5,
  contentType,
  userProperties,
  payload,
  payloadBase64,
  expect: expected = {},
}: Case): void {
  const properties = {
    ...(contentType === undefined ? {} : { contentType }),
    ...(userProperties && { userProperties }),
  }
  const message = { payload: bytesOfCase(payload, payloadBase64) as Buffer, properties }
  expectDecoded(expected, () => decodeMqtt(message, { version: protocol }), { asText: protocol === 5 })
}

function encodes({ event, mode, protocol = 5, absent = [], expect: expected = {} }: Case): void {
  const given = eventOfCase(event as CaseEvent)
  const { payload, properties = {} } =
    mode === 'binary' ? encodeMqttBinary(given) : encodeMqttStructured(given, { version: protocol })
  const userProperties = { ...properties.userProperties }
  expect(userProperties).toMatchObject(expected.userProperties ?? {})
  for (const name of absent) expect({ ...properties, ...userProperties }).not.toHaveProperty(name)
  if (expected.contentType !== undefined) expect(properties.contentType).toBe(expected.contentType)
  const text = Buffer.from(payload).toString()
  if (expected.payload !== undefined) expect(text).toBe(expected.payload)
  if (expected.payloadJson !== undefined) expect(JSON.parse(text)).toEqual(expected.payloadJson)
}
