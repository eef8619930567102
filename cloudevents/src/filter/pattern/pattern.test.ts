/** What the conformance data leaves open. */
import { describe, expect, it } from 'vitest'
import { FilterError } from '../filter-error.ts'
import { compilePattern } from './compile-pattern.ts'

describe('a pattern', () => {
  it.each([
    [{ constructor: ['x'] }, {}, false],
    [{ constructor: [{ exists: false }] }, {}, true],
    [{ a: { __proto__2: ['x'] } }, { a: { __proto__2: 'x' } }, true],
    [{ a: ['x'], $or: [{ a: ['y'] }, { b: ['z'] }] }, { a: 'y' }, true],
    [{ a: [['x'], 'y'] }, { a: 'y' }, 'refused'],
    [{ a: ['x'] }, { a: [['y'], ['x']] }, true],
    [{ 'a.b': ['1'] }, { a: { b: '1' } }, true],
    [{ a: { 'b.c': ['1'], d: ['2'] } }, { a: { 'b.c': '1', d: '2' } }, true],
    [{ a: [{ 'anything-but': [] }] }, {}, 'refused'],
    [{ a: [{ 'anything-but': { prefix: [] } }] }, {}, 'refused'],
    [{ a: [{ 'anything-but': true }] }, {}, 'refused'],
    [{ a: [{ numeric: ['<', 1, '>', 0] }] }, {}, 'refused'],
    [{ a: [{ numeric: ['>', 1, '<', 1] }] }, {}, 'refused'],
    [{ a: [{ numeric: ['>', '1'] }] }, {}, 'refused'],
    [{ a: [{ wildcard: 'a**b' }] }, {}, 'refused'],
    [{ a: [{ cidr: '::/128' }] }, {}, 'refused'],
    [{ a: [] }, {}, 'refused'],
    [{ a: {} }, {}, 'refused'],
    [{}, {}, 'refused'],
    [{ $or: [{ prefix: ['x'] }, { a: ['y'] }] }, {}, 'refused'],
    [{ a: [{ cidr: '::ffff:10.0.0.0/104' }] }, { a: '::ffff:a01:203' }, true],
    [{ a: [{ cidr: '10.0.0.7/24' }] }, { a: '10.0.0.3' }, false],
    [{ a: [{ cidr: '10.0.0.0/8' }] }, { a: '10.0.0.256' }, false],
    [{ a: [{ suffix: 'ß' }] }, { a: 'stra\u00df' }, true],
    [{ a: [{ 'equals-ignore-case': 'ὈΔΥΣΣΕΎΣ' }] }, { a: 'ὀδυσσεύς' }, true],
  ])('%j of %j is %s', (pattern, event, expected) => {
    if (expected === 'refused') expect(() => compilePattern(pattern)).toThrow(FilterError)
    else expect(compilePattern(pattern)(event)).toBe(expected)
  })

  it('looks for what must not exist in all elements until a field has chosen one', () => {
    const chosen = compilePattern({ d: { a: ['x'], b: [{ exists: false }] } })
    expect(chosen({ d: [{ a: 'x' }, { b: 1 }] })).toBe(true)
    expect(chosen({ d: [{ a: 'x', b: 1 }, { a: 'y' }] })).toBe(false)
    const open = compilePattern({ d: { a: [{ exists: false }] } })
    expect(open({ d: [{ a: 1 }, { b: 2 }] })).toBe(false)
    expect(open({ d: [{ b: 2 }] })).toBe(true)
    expect(open({ d: [] })).toBe(true)
  })

  it('takes names of the prototype as data', () => {
    const event = JSON.parse('{"__proto__": {"a": "x"}}') as Record<string, unknown>
    const pattern = JSON.parse('{"__proto__": {"a": ["x"]}}') as unknown
    expect(compilePattern(pattern)(event)).toBe(true)
    expect(compilePattern(pattern)({})).toBe(false)
  })

  it('names the place of a mistake', () => {
    expect(() => compilePattern({ a: { b: ['x', { wildcard: 'ab\\c' }] } })).toThrow(
      expect.objectContaining({
        position: { path: '/a/b/1/wildcard', offset: 2, line: 1, column: 3 },
      }),
    )
    expect(() => compilePattern({ 'a/b': [{ prefix: 5 }] })).toThrow(/^\/a~1b\/0\/prefix: must be a text$/)
  })
})
