/** The AMQP cases of the shared conformance data, each by its name, through both versions of the protocol. */
import { describe, expect, it } from 'vitest'
import {
  decodeAmqp,
  decodeAmqp091,
  encodeAmqp091Binary,
  encodeAmqp091Structured,
  encodeAmqpBinary,
  encodeAmqpStructured,
} from '../../index.ts'
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

describe.skipIf(!conformanceIsThere)('conformance/cloudevents/amqp.json', () => {
  const cases = casesOf('amqp.json')
  it('has all cases at hand', () => expectCases(cases, 12, ['decode', 'encode']))
  for (const one of cases) it(one.name, () => (one.kind === 'decode' ? decodes(one) : encodes(one)))
})

function decodes({ contentType, applicationProperties, payload, payloadBase64, expect: expected = {} }: Case): void {
  const content = bytesOfCase(payload, payloadBase64) as Buffer
  const given = Object.entries(applicationProperties ?? {})
  const native = Object.fromEntries(given.map(([name, value]) => [name, valueOf(value, ms => new Date(ms))]))
  expectDecoded(expected, () => decodeAmqp({ contentType, applicationProperties: native, payload: content }))
  const seconds = (ms: number) => ({ '!': 'timestamp', value: ms / 1000 })
  const headers = Object.fromEntries(given.map(([name, value]) => [name, valueOf(value, seconds)]))
  expectDecoded(expected, () => decodeAmqp091({ content, properties: { contentType, headers } }))
}

function valueOf(value: unknown, timestamp: (ms: number) => unknown): unknown {
  if (typeof value !== 'object' || value === null) return value
  if ('timestampMs' in value) return timestamp(value.timestampMs as number)
  return 'binaryBase64' in value ? Buffer.from(value.binaryBase64 as string, 'base64') : value
}

function encodes({ event, mode, absent = [], expect: expected = {} }: Case): void {
  const given = eventOfCase(event as CaseEvent)
  const { contentType, applicationProperties, payload } = (mode === 'binary' ? encodeAmqpBinary : encodeAmqpStructured)(
    given,
  )
  expect(applicationProperties).toMatchObject(expected.applicationProperties ?? {})
  for (const name of absent) expect(applicationProperties).not.toHaveProperty(name)
  if (expected.contentType !== undefined) expect(contentType).toBe(expected.contentType)
  const text = Buffer.from(payload).toString()
  if (expected.payload !== undefined) expect(text).toBe(expected.payload)
  if (expected.payloadJson !== undefined) expect(JSON.parse(text)).toEqual(expected.payloadJson)
  const table = (mode === 'binary' ? encodeAmqp091Binary : encodeAmqp091Structured)(given)
  expect(table).toEqual({
    content: payload,
    properties: { ...(contentType === undefined ? {} : { contentType }), headers: applicationProperties },
  })
}
