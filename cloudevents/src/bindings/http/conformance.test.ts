/** The HTTP cases of the shared conformance data, each by its name. */
import { describe, expect, it } from 'vitest'
import { decodeHttp, decodeHttpEvents, encodeHttpBinary, encodeHttpStructured, type HttpContent } from '../../index.ts'
import {
  casesOf,
  conformanceIsThere,
  eventOfCase,
  expectEvent,
  expectSameEvent,
  onlyKnownErrors,
  type Case,
  type CaseEvent,
} from '../../testing/conformance.ts'

describe.skipIf(!conformanceIsThere)('conformance/cloudevents/http.json', () => {
  const cases = casesOf('http.json')

  it('has all cases at hand', () => {
    expect(cases).toSatisfy((all: Case[]) => all.length >= 54)
    expect(new Set(cases.map(one => one.kind))).toEqual(new Set(['decode', 'encode', 'roundtrip']))
  })

  for (const one of cases) {
    it(one.name, () => {
      if (one.kind === 'decode') decodes(one)
      else if (one.kind === 'encode') encodes(one)
      else roundTrips(one)
    })
  }
})

/** The data wants a message without a required attribute to be a plain one; the hub wants it refused (events.md §2). */
const options = { incomplete: 'plain' } as const

function decodes({ headers = {}, body = '', bodyBase64, expect: expected = {} }: Case): void {
  const bytes = bodyBase64 === undefined ? Buffer.from(body) : Buffer.from(bodyBase64, 'base64')
  const decode = () => decodeHttpEvents(headers, bytes, options)
  if (expected.unspecified) return onlyKnownErrors(decode)
  if (expected.invalid) return expect(decode).toThrow(expect.objectContaining({ kind: 'invalid' }))
  if (expected.unsupportedFormat) return expect(decode).toThrow(expect.objectContaining({ kind: 'unsupported' }))
  const found = decode()
  if (expected.notACloudEvent) return expect(found).toBeUndefined()
  expect(found?.mode).toBe(expected.mode === 'batch' ? 'batched' : expected.mode)
  const events = expected.events ?? [expected as CaseEvent]
  expect(found?.events).toHaveLength(events.length)
  events.forEach((event, index) => expectEvent(found?.events[index], event, { asText: true }))
}

function encodes({ event, mode, absent = [], expect: expected = {} }: Case): void {
  const encode: typeof encodeHttpStructured = mode === 'binary' ? encodeHttpBinary : encodeHttpStructured
  const { headers, body } = encode(eventOfCase(event as CaseEvent))
  expect(headers).toMatchObject(expected.headers ?? {})
  for (const name of absent) expect(headers).not.toHaveProperty(name)
  const text = Buffer.from(body).toString()
  if (expected.bodyEmpty) expect(text).toBe('')
  if (expected.body !== undefined) expect(text).toBe(expected.body)
  if (expected.bodyJson !== undefined) expect(JSON.parse(text)).toEqual(expected.bodyJson)
}

function roundTrips({ event: given }: Case): void {
  const event = eventOfCase(given as CaseEvent)
  const decode = ({ headers, body }: HttpContent) => decodeHttp(headers, body, options)
  expectSameEvent(decode(encodeHttpBinary(event)), event, { asText: true })
  expectSameEvent(decode(encodeHttpStructured(event)), event)
}
