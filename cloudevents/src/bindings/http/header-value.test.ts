import fc from 'fast-check'
import { expect, it } from 'vitest'
import { decodeHeaderValue, encodeHeaderValue } from '../../index.ts'

it('encodes blanks, quotes, percent signs and all that is not ASCII [feed:DL26]', () => {
  expect(encodeHeaderValue('a b"%é😀')).toBe('a%20b%22%25%C3%A9%F0%9F%98%80')
  expect(encodeHeaderValue("!#$&'()*+,-./:;<=>?@[\\]^_`{|}~")).toBe("!#$&'()*+,-./:;<=>?@[\\]^_`{|}~")
  expect(encodeHeaderValue('\x00\x1f\x7f\x80')).toBe('%00%1F%7F%C2%80')
  expect(encodeHeaderValue('\ud800')).toBe('%EF%BF%BD')
})

it('gives back every string, from printable ASCII alone', () => {
  fc.assert(
    fc.property(fc.string({ unit: 'binary' }), text => {
      const header = encodeHeaderValue(text)
      expect(header).toMatch(/^[\x21\x23-\x7e]*$/)
      expect(decodeHeaderValue(header, 'subject')).toBe(text)
    }),
  )
})

it.each([
  ['100%', '100%'],
  ['%4', '%4'],
  ['%zz%41', '%zzA'],
  ['%2541', '%41'],
  ['"a \\"b\\" \\\\c%20"', 'a "b" \\c '],
  ['""', ''],
  ['"open', '"open'],
  ['"a" b', '"a" b'],
  ['"a\\"', '"a\\"'],
  ['a "b"', 'a "b"'],
])('reads %s as %s', (header, value) => {
  expect(decodeHeaderValue(header, 'subject')).toBe(value)
})

it.each(['%C0%A0', '%FF', '%ED%A0%80', '%E2%82', '%F4%90%80%80', '%zz%FF'])('refuses %s, which is no UTF-8', header => {
  expect(() => decodeHeaderValue(header, 'subject')).toThrow(
    expect.objectContaining({ kind: 'invalid', attribute: 'subject', rule: 'utf8' }),
  )
})

it('takes megabytes in its stride', () => {
  const quoted = `"${'\\a'.repeat(1_000_000)}"`
  expect(decodeHeaderValue(quoted, 'subject')).toHaveLength(1_000_000)
})
