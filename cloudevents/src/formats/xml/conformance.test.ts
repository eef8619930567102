/** The XML cases of the shared conformance data, each by its name. */
import { describe, expect, it } from 'vitest'
import { decodeXml, decodeXmlBatch, encodeXml } from '../../index.ts'
import {
  casesOf,
  conformanceIsThere,
  expectCases,
  expectDecoded,
  expectEvent,
  expectSameEvent,
} from '../../testing/conformance.ts'

describe.skipIf(!conformanceIsThere)('conformance/cloudevents/xml.json', () => {
  const cases = casesOf('xml.json')
  it('has all cases at hand', () => {
    expectCases(cases, 23, [...new Set(['decode', ...cases.map(({ kind }) => kind)])])
  })

  for (const { name, kind, text = '', expect: expected = {} } of cases) {
    it(name, () => {
      if (kind === 'decode-batch' || expected.events !== undefined) {
        if (expected.invalid)
          return expect(() => decodeXmlBatch(text)).toThrow(expect.objectContaining({ kind: 'invalid' }))
        const events = decodeXmlBatch(text)
        expect(events).toHaveLength(expected.events?.length as number)
        events.forEach((event, index) => expectEvent(event, expected.events?.[index] as never))
        return
      }
      const decode = () => ({ event: decodeXml(text) })
      expectDecoded(expected, decode)
      if (!expected.invalid) expectSameEvent(decodeXml(encodeXml(decode().event)), decode().event)
    })
  }
})
