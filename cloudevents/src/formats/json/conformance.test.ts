/** The JSON cases of the shared conformance data, each by its name, and the JSON Schema of the specification. */
import { Ajv } from 'ajv'
import formats from 'ajv-formats'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { decodeJson, decodeJsonBatch, encodeHttpBinary, encodeJson } from '../../index.ts'
import { event } from '../../testing/arbitrary.ts'
import {
  casesOf,
  conformanceIsThere,
  expectEvent,
  expectSameEvent,
  readConformance,
  type Case,
  type CaseEvent,
} from '../../testing/conformance.ts'

describe.skipIf(!conformanceIsThere)('conformance/cloudevents/json.json', () => {
  const cases = casesOf('json.json')

  it('has all cases at hand', () => {
    expect(cases).toSatisfy((all: Case[]) => all.length >= 55)
    expect(new Set(cases.map(one => one.kind))).toEqual(new Set(['decode', 'decode-batch', 'json-to-http-binary']))
  })

  for (const one of cases) {
    it(one.name, () => {
      if (one.kind === 'decode') decodes(one)
      else if (one.kind === 'decode-batch') decodesBatch(one)
      else becomesBinary(one)
    })
  }

  const ajv = new Ajv({ strict: false })
  formats.default(ajv)
  const matches = ajv.compile(readSchema())

  it('writes only what the JSON Schema of the specification accepts', () => {
    fc.assert(
      fc.property(event, one => {
        expect(matches(JSON.parse(encodeJson(one))), ajv.errorsText(matches.errors)).toBe(true)
      }),
    )
  })

  it('refuses every case that the JSON Schema refuses', () => {
    const documents = cases.filter(one => one.kind === 'decode').map(one => one.text as string)
    const parsed = documents.filter(text => succeeds(() => JSON.parse(text)))
    const refused = parsed.filter(text => matches(JSON.parse(text)) !== true)
    expect(refused.length).toBeGreaterThanOrEqual(15)
    for (const text of refused)
      expect(
        succeeds(() => decodeJson(text)),
        text,
      ).toBe(false)
  })
})

function readSchema(): object {
  return conformanceIsThere ? (readConformance('cloudevents.schema.json') as object) : {}
}

function decodes({ text = '', expect: expected = {} }: Case): void {
  if (expected.invalid) return expect(() => decodeJson(text)).toThrow(expect.objectContaining({ kind: 'invalid' }))
  const event = decodeJson(text)
  expectEvent(event, expected as CaseEvent)
  expectSameEvent(decodeJson(encodeJson(event)), event)
}

function decodesBatch({ text = '', expect: expected = {} }: Case): void {
  const events = decodeJsonBatch(text)
  expect(events).toHaveLength(expected.events?.length as number)
  expected.events?.forEach((event, index) => expectEvent(events[index], event))
}

function becomesBinary({ text = '', expect: expected = {} }: Case): void {
  const { headers, body } = encodeHttpBinary(decodeJson(text))
  expect(headers).toEqual(expected.headers)
  if (expected.body !== undefined) expect(Buffer.from(body).toString()).toBe(expected.body)
  else expect(JSON.parse(Buffer.from(body).toString())).toEqual(expected.bodyJson)
}

function succeeds(run: () => unknown): boolean {
  try {
    run()
    return true
  } catch {
    return false
  }
}
