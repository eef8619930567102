import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import {
  dataBytes,
  decodeJson,
  decodeJsonBatch,
  encodeJson,
  encodeJsonBatch,
  fromJsonObject,
  toJsonObject,
} from '../../index.ts'
import * as arbitrary from '../../testing/arbitrary.ts'
import { expectSameEvent } from '../../testing/conformance.ts'

const document = (members: string) => `{"specversion":"1.0","id":"1","source":"/s","type":"t"${members}}`

describe('reading', () => {
  it('keeps the digits of data', () => {
    const event = decodeJson(document(',"data": {"n":12345678901234567890, "f":1.0}'))
    expect(Buffer.from(dataBytes(event) ?? []).toString()).toBe('{"n":12345678901234567890, "f":1.0}')
    const [, second] = decodeJsonBatch(`[${document('')}, ${document(',"data":1.00')}]`)
    expect(second && encodeJson(second)).toBe(document(',"data":1.00'))
  })

  it('takes bytes with a byte order mark, and no bytes that are not UTF-8', () => {
    expect(decodeJson(Buffer.from(`\ufeff${document('')}`)).id).toBe('1')
    expect(() => decodeJson(Buffer.from([0x7b, 0xff]))).toThrow(/'body' must be valid UTF-8/)
  })

  it.each([
    [',"data_base64":"YQ"', 'data_base64', 'base64'],
    [',"data_base64":"YQ==\\n"', 'data_base64', 'base64'],
    [',"data_base64":"_-8="', 'data_base64', 'base64'],
    [',"data_base64":"YR=="', 'data_base64', 'base64'],
    [',"data":null,"data_base64":"YQ=="', 'data', 'data-twice'],
    [',"datacontenttype":"text/plain","data":5', 'data', 'data-kind'],
    [',"datacontenttype":"text/plain","data":"\\ud800"', 'data', 'surrogate'],
    [',"datacontenttype":7,"data":"x"', 'datacontenttype', 'string'],
    [',"__proto__":{"a":1}', '__proto__', 'name'],
    [',"a":1e99', 'a', 'int32'],
    [',"extensions":{"a":1}', 'extensions', 'extension-type'],
  ])('refuses %s', (members, attribute, rule) => {
    expect(() => decodeJson(document(members))).toThrow(expect.objectContaining({ attribute, rule }))
  })

  it('leaves the prototype of data alone', () => {
    const event = decodeJson(document(',"data":{"__proto__":{"polluted":1},"constructor":2}'))
    expect(encodeJson(event)).toContain('{"__proto__":{"polluted":1},"constructor":2}')
    expect(({} as { polluted?: unknown }).polluted).toBeUndefined()
  })

  it('takes null in data_base64 for nothing', () => {
    expect(decodeJson(document(',"data_base64":null,"subject":null,"data":1')).data).toMatchObject({ value: 1 })
    expect(decodeJson(document(',"data_base64":null')).data).toBeUndefined()
  })

  it('says which event of a batch is broken', () => {
    expect(() => decodeJsonBatch(`[${document('')},{}]`)).toThrow(/'specversion' is required .*in event 1 of the batch/)
    expect(() => decodeJsonBatch(document(''))).toThrow(/must be a JSON array of events/)
  })

  it('answers megabytes of brackets with an error of its own', () => {
    const brackets = '['.repeat(4_000_000)
    expect(() => decodeJson(brackets)).toThrow(/'body' must be JSON/)
    expect(() => decodeJson(document(`,"data":${nested(200_000)}`))).toThrow(
      /'data' is nested too deeply; at most 1000/,
    )
    expect(() => decodeJson(document(`,"extra":${nested(200_000)}`))).toThrow(/'extra' must be a string/)
  })

  it('takes data as deep and batches as long as the limits say', () => {
    expect(encodeJson(decodeJson(document(`,"data":${nested(1_000)}`)))).toContain(nested(1_000))
    const deep = document(`,"data":{"a":${nested(3)}}`)
    expect(decodeJson(deep, { depthMax: 4 }).data).toMatchObject({ value: { a: [[[]]] } })
    expect(() => decodeJson(deep, { depthMax: 3 })).toThrow(expect.objectContaining({ rule: 'depth', kind: 'invalid' }))
    const three = `[${document('')},${document('')},${document('')}]`
    expect(decodeJsonBatch(three, { batchEventsMax: 3 })).toHaveLength(3)
    expect(() => decodeJsonBatch(three, { batchEventsMax: 2 })).toThrow(
      expect.objectContaining({ rule: 'count', kind: 'too-large' }),
    )
    expect(() => decodeJson(deep, { bodyBytesMax: 20 })).toThrow(
      expect.objectContaining({ rule: 'size', kind: 'too-large' }),
    )
  })

  it('makes data that nobody can change', () => {
    const { data } = decodeJson(document(',"data":{"list":[{"a":1}]}'))
    const { list } = (data as { value: { list: { a: number }[] } }).value
    expect(() => list.push({ a: 2 })).toThrow(TypeError)
    expect(() => Object.assign(list[0] as object, { a: 2 })).toThrow(TypeError)
  })
})

const nested = (levels: number) => '['.repeat(levels) + ']'.repeat(levels)

describe('round trips', () => {
  it('an event through JSON text and objects is the same event', () => {
    fc.assert(
      fc.property(arbitrary.event, event => {
        expectSameEvent(decodeJson(encodeJson(event)), event)
        expectSameEvent(decodeJson(Buffer.from(encodeJson(event))), event)
        expect(JSON.parse(JSON.stringify(toJsonObject(event)))).toEqual(JSON.parse(encodeJson(event)))
        expect(fromJsonObject(toJsonObject(event)).id).toBe(event.id)
      }),
    )
  })

  it('a batch is its events in order', () => {
    fc.assert(
      fc.property(fc.array(arbitrary.event, { maxLength: 4 }), events => {
        const decoded = decodeJsonBatch(encodeJsonBatch(events))
        expect(decoded).toHaveLength(events.length)
        decoded.forEach((one, index) => expectSameEvent(one, events[index] as (typeof events)[0]))
      }),
    )
  })
})
