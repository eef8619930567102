/** The Protobuf cases of the shared conformance data, each by its name. */
import { describe, expect, it } from 'vitest'
import { decodeProtobuf, decodeProtobufBatch, encodeProtobuf, encodeProtobufBatch } from '../../index.ts'
import {
  casesOf,
  conformanceIsThere,
  expectCases,
  expectDecoded,
  expectEvent,
  expectSameEvent,
} from '../../testing/conformance.ts'
import { published, readPublished } from '../../testing/published-protobuf.ts'

const instants = { instants: true }

describe.skipIf(!conformanceIsThere)('conformance/cloudevents/protobuf.json', () => {
  const cases = casesOf('protobuf.json')
  it('has all cases at hand', () => expectCases(cases, 11, ['decode', 'decode-batch']))

  for (const { name, kind, wireBase64 = '', expect: expected = {} } of cases) {
    const wire = Buffer.from(wireBase64, 'base64')
    it(name, () => {
      if (kind === 'decode-batch') {
        if (expected.invalid)
          return expect(() => decodeProtobufBatch(wire)).toThrow(expect.objectContaining({ kind: 'invalid' }))
        const events = decodeProtobufBatch(wire)
        expect(events).toHaveLength(expected.events?.length as number)
        events.forEach((event, index) => expectEvent(event, expected.events?.[index] as never, instants))
        expect(readPublished(published.batch, encodeProtobufBatch(events))).toEqual(
          readPublished(published.batch, wire),
        )
      } else {
        const decode = () => ({ event: decodeProtobuf(wire) })
        expectDecoded(expected, decode, instants)
        if (expected.invalid) return
        expectSameEvent(decodeProtobuf(encodeProtobuf(decode().event)), decode().event)
        expect(readPublished(published.event, encodeProtobuf(decode().event))).toEqual(
          readPublished(published.event, wire),
        )
      }
    })
  }
})
