import { describe, expect, it } from 'vitest'
import { ascending, clampMs, descending, endOf, fromDescending, keyOf, textOf } from './keys.ts'

describe('keys', () => {
  it('keeps the parts of a key apart, whatever is in them', () => {
    expect(keyOf('a', 'b!c')).not.toBe(keyOf('a', 'b', 'c'))
    expect(keyOf('a', 'b%21c')).not.toBe(keyOf('a', 'b!c'))
    for (const part of ['', 'a!b', '%', '%21', '!%!', 'ü']) expect(textOf(keyOf(part))).toBe(part)
  })

  it('orders numbers, upwards and downwards', () => {
    const numbers = [0, 1, 9, 10, 99, 1000, 1_700_000_000_000, 1e15 - 1]
    expect(numbers.map(ascending).sort()).toEqual(numbers.map(ascending))
    expect(numbers.map(descending).sort().reverse()).toEqual(numbers.map(descending))
    expect(numbers.map(descending).map(fromDescending)).toEqual(numbers)
  })

  it('takes any time', () => {
    expect([-5, 1.7, Infinity, Number.MAX_SAFE_INTEGER].map(clampMs)).toEqual([0, 1, 1e15 - 1, 1e15 - 1])
  })

  it('ends a stretch behind everything that begins with the prefix', () => {
    for (const key of ['a!', 'a!zzz', 'a!\uffff', 'a!\u{1f600}']) {
      expect(Buffer.compare(Buffer.from(key), Buffer.from(endOf('a!')))).toBeLessThan(0)
    }
    expect(Buffer.compare(Buffer.from('b'), Buffer.from(endOf('a!')))).toBeGreaterThan(0)
  })
})
