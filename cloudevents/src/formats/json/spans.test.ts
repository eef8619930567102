import fc from 'fast-check'
import { expect, it } from 'vitest'
import { elementStarts, memberSpan } from './spans.ts'

const spelled = (text: string, name: string) => {
  const span = memberSpan(text, name)
  return span && text.slice(span[0], span[1])
}

it('finds a member as it is spelled', () => {
  expect(spelled(' { "a" : "}\\"" , "data" : [ 1.0, {"x":"]\\\\"} ] , "b":2 } ', 'data')).toBe('[ 1.0, {"x":"]\\\\"} ]')
  expect(spelled('{"data":1e2}', 'data')).toBe('1e2')
  expect(spelled('{"x":{"data":1},"y":["data"]}', 'data')).toBeUndefined()
  expect(spelled('{}', 'data')).toBeUndefined()
})

it('takes escaped names for what they mean, and the last of two', () => {
  expect(spelled('{"d\\u0061ta":1,"data\\n":2}', 'data')).toBe('1')
  expect(spelled('{"data":1,"d\\u0061ta":2}', 'data')).toBe('2')
})

it('agrees with JSON.parse on any JSON', () => {
  const space = fc.constantFrom(undefined, 1, '\t\n')
  const name = fc.oneof(fc.constantFrom('data', '', '"', '\\', 'dat\\u0061'), fc.string({ unit: 'binary' }))
  fc.assert(
    fc.property(fc.array(fc.dictionary(name, fc.jsonValue())), name, space, (list, wanted, indent) => {
      const text = JSON.stringify(list, undefined, indent)
      const starts = elementStarts(text)
      expect(starts).toHaveLength(list.length)
      list.forEach((element, index) => {
        const span = memberSpan(text, wanted, starts[index])
        const expected = Object.hasOwn(element, wanted) ? JSON.stringify(element[wanted]) : undefined
        expect(span && JSON.stringify(JSON.parse(text.slice(span[0], span[1])))).toBe(expected)
      })
    }),
  )
})
