import { describe, expect, it } from 'vitest'
import { ExactNumber, parseJson, stringifyJson } from './json.ts'

describe('parseJson', () => {
  it.each([
    '{"n":12345678901234567890}',
    '{ "text" : "12345678901234567890" , "n" : 1.0000000000000000001 }',
    '["\\"12345678901234567890", 1e400]',
    '{"a\\\\":"\\\\", "n":12345678901234567890}',
  ])('keeps every digit of the numbers in %s', text => {
    expect(stringifyJson(parseJson(text))).toBe(text.replaceAll(' ', ''))
  })

  it('makes no numbers of digits in strings', () => {
    const value = parseJson('{ "id" : "12345678901234567890", "q\\"1234567890123456789" : [1] }')
    expect(value).toEqual({ id: '12345678901234567890', 'q"1234567890123456789': [1] })
    expect(parseJson('[12345678901234567890]')).toEqual([new ExactNumber('12345678901234567890')])
  })

  it('is not held up by a long string full of digits, however the text is spaced [sec:S3]', () => {
    const text = `{ "code" : "${'1234567890123456 '.repeat(1_000_000)}" }`
    const before = performance.now()
    parseJson(text)
    // The exact parser needs several seconds for it.
    expect(performance.now() - before).toBeLessThan(1000)
  })
})
