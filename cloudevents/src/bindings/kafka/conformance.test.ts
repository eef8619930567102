/** The Kafka cases of the shared conformance data, each by its name. */
import { describe, expect, it } from 'vitest'
import { decodeKafka, encodeKafkaBinary, encodeKafkaStructured, partitionKeyOf } from '../../index.ts'
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

describe.skipIf(!conformanceIsThere)('conformance/cloudevents/kafka.json', () => {
  const cases = casesOf('kafka.json')
  it('has all cases at hand', () => expectCases(cases, 13, ['decode', 'encode']))
  for (const one of cases) it(one.name, () => (one.kind === 'decode' ? decodes(one) : encodes(one)))
})

function decodes({ headers = {}, key = null, value = null, valueBase64, expect: expected = {} }: Case): void {
  const message = { key, value: bytesOfCase(value, valueBase64), headers }
  expectDecoded(expected, () => decodeKafka(message), { asText: true })
  if (expected.key !== undefined) expect(message.key).toBe(expected.key)
}

function encodes({ event, mode, absent = [], expect: expected = {} }: Case): void {
  const encode = mode === 'binary' ? encodeKafkaBinary : encodeKafkaStructured
  const { key, value, headers } = encode(eventOfCase(event as CaseEvent), { key: partitionKeyOf })
  expect(headers).toMatchObject(expected.headers ?? {})
  for (const name of absent) expect(headers).not.toHaveProperty(name)
  if (expected.key !== undefined) expect(key).toBe(expected.key)
  if (expected.value !== undefined) expect(value && Buffer.from(value).toString()).toBe(expected.value)
  if (expected.valueJson !== undefined)
    expect(JSON.parse(Buffer.from(value ?? []).toString())).toEqual(expected.valueJson)
}
