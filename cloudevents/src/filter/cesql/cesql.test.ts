/** What the conformance kit leaves open: syntax errors with their place, precedence, casts, the words of errors, DATA. */
import { describe, expect, it } from 'vitest'
import { compileFilter } from '../compile-filter.ts'
import { FilterError } from '../filter-error.ts'
import { subjectOfParts } from '../subject.ts'
import { compileCesql } from './cesql.ts'

const subject = subjectOfParts(
  {
    id: '1',
    source: '/a',
    type: 'com.example',
    seq: '5',
    flag: true,
    number: 7,
    emoji: 'a😀b',
    space: '\u00a0 x\t\u0085',
  },
  { n: 5, half: 0.5, big: 4294967296, text: 'x', yes: true, nothing: null, list: [{ 'a/b': 'c~d' }], object: {} },
)

function value(expression: string): unknown {
  const result = compileCesql(expression).evaluate(subject)
  return result.error ? [result.value, result.error.kind] : result.value
}

describe('syntax', () => {
  it.each([
    ['', 1],
    ['   ', 4],
    ['(', 2],
    ['(TRUE', 6],
    ['TRUE)', 5],
    ['1 +', 4],
    ['+ 1', 3],
    ['a b', 3],
    ["type = 'x", 8],
    ['type = "x', 8],
    ["'a''b'", 4],
    ['x LIKE y', 8],
    ['x NOT = 1', 7],
    ['x IN ()', 7],
    ['x IN (1,)', 9],
    ['x IN 1', 6],
    ['EXISTS', 7],
    ["EXISTS 'a'", 8],
    ['EXISTS AND', 8],
    ['LENGTH(', 8],
    ["LENGTH('a'", 11],
    ["LENGTH('a',)", 12],
    ['LENGTH2(1)', 1],
    ['a_b = 1', 1],
    ['AND TRUE', 1],
    ['TRUE AND', 9],
    ['2147483648', 1],
    ['-2147483649', 1],
    ['type == 1', 7],
    ['type & 1', 6],
    ['größe = 1', 3],
    ['1.5', 2],
  ])('refuses %s at column %i', (text, column) => {
    let error: unknown
    try {
      compileCesql(text)
    } catch (caught) {
      error = caught
    }
    expect(error).toBeInstanceOf(FilterError)
    expect((error as FilterError).position).toEqual({ path: '', offset: column - 1, line: 1, column })
  })

  it('counts lines', () => {
    expect(() => compileCesql("type = 'a'\nAND\n  (source")).toThrow(/at line 3, column 10$/)
  })

  it.each([
    ['4-1', 3],
    ['4 -1', 3],
    ['-4', -4],
    ['--4', 4],
    ['-2147483648', -2147483648],
    ['+5', 5],
    ["'it\\'s'", "it's"],
    ["'a\\\\b'", 'a\\\\b'],
    ["'\\n'", '\\n'],
    ['TYPE', 'com.example'],
    ['\t\r\n1\n', 1],
  ])('reads %s', (text, expected) => {
    expect(value(text)).toBe(expected)
  })
})

describe('precedence', () => {
  it.each([
    ['2 + 3 * 4', 14],
    ['10 - 4 - 3', 3],
    ['100 / 10 / 2', 5],
    ['1 + 1 = 2', true],
    ['FALSE AND TRUE OR TRUE', true],
    ['TRUE OR TRUE AND FALSE', false],
    ['NOT FALSE = TRUE', true],
    ['NOT TRUE AND FALSE', false],
    ['-seq + 6', 1],
    ["1 + 2 LIKE '2'", [0, 'none']],
    ["seq IN (5) AND type LIKE 'com%'", true],
    ['NOT EXISTS missing AND TRUE', true],
  ])('%s', (text, expected) => {
    // LIKE binds stronger: 1 + ('2' LIKE '2') = 1 + 1.
    expect(value(text)).toEqual(Array.isArray(expected) ? 2 : expected)
  })
})

describe('values and errors', () => {
  it.each([
    ['missing', [false, 'missingAttribute']],
    ['NOT missing', [false, 'missingAttribute']],
    ['LENGTH(missing)', [0, 'missingAttribute']],
    ["CONCAT('a', missing)", ['', 'missingAttribute']],
    ['missing OR TRUE', [false, 'missingAttribute']],
    ['TRUE OR missing', true],
    ['FALSE AND missing', false],
    ['TRUE XOR missing', [false, 'missingAttribute']],
    ["missing NOT LIKE 'a'", [false, 'missingAttribute']],
    ['missing NOT IN (1)', [false, 'missingAttribute']],
    ['data', [false, 'missingAttribute']],
    ['1 / 0', [0, 'math']],
    ['1 % 0', [0, 'math']],
    ['-7 / 2', -3],
    ['-7 % 2', -1],
    ['2147483647 + 1', [0, 'math']],
    ['65536 * 65536', [0, 'math']],
    ['-2147483648 / -1', [0, 'math']],
    ['-(-2147483648)', [0, 'math']],
    ["'abc' = 5", [false, 'cast']],
    ["'abc' + 1", [0, 'cast']],
    ["-'abc'", [0, 'cast']],
    ["'5.0' = 5", [false, 'cast']],
    ["' 5' = 5", [false, 'cast']],
    ["'+5' = 5", true],
    ["'2147483648' = 1", [false, 'cast']],
    ["5 = '5'", true],
    ['TRUE = 1', true],
    ['5 = TRUE', true],
    ["flag = 'true'", true],
    ['number = 7', true],
    ["NOT 'abc'", [true, 'cast']],
    ['BOOL(0)', false],
    ['INT(FALSE)', 0],
    ["1 IN ('a', 1)", [true, 'cast']],
    ["5 NOT IN ('4', 6)", true],
    ['NONE(1)', [false, 'missingFunction']],
    ['LENGTH()', [false, 'missingFunction']],
    ['CONCAT()', ''],
    ["CONCAT_WS('-')", ''],
    ["CONCAT_WS('-', 1, TRUE)", '1-true'],
    ["LEFT('abc', -1)", ['abc', 'functionEvaluation']],
    ["RIGHT('abc', -1)", ['abc', 'functionEvaluation']],
    ["SUBSTRING('abc', 1, -1)", ['', 'functionEvaluation']],
    ["SUBSTRING('abc', 4)", ['', 'functionEvaluation']],
    ["SUBSTRING('abc', 3, 9)", 'c'],
    ["SUBSTRING('abc', -3, 2)", 'ab'],
    ['ABS(-5)', 5],
  ])('%s', (text, expected) => {
    expect(value(text)).toEqual(expected)
  })

  it('counts characters of Unicode', () => {
    expect(value('LENGTH(emoji)')).toBe(3)
    expect(value('RIGHT(emoji, 2)')).toBe('😀b')
    expect(value('SUBSTRING(emoji, 2, 1)')).toBe('😀')
    expect(value("emoji LIKE 'a_b'")).toBe(true)
    expect(value("emoji LIKE '%__'")).toBe(true)
    expect(value("emoji LIKE 'a__b'")).toBe(false)
    expect(value('TRIM(space)')).toBe('x')
    expect(value("TRIM('\u0001 ')")).toBe('\u0001')
  })
})

describe('LIKE', () => {
  it.each([
    ['abc', 'a%c', true],
    ['abc', '%', true],
    ['', '%', true],
    ['', '_', false],
    ['abc', '%%b%%', true],
    ['abcabd', '%ab_', true],
    ['aXbXc', 'a%X_', true],
    ['a', 'a%a', false],
    ['ab', 'a%_b', false],
    ['axxb', 'a%_b', true],
    ['a\nb', 'a_b', true],
    ['a.b', 'a.b', true],
    ['axb', 'a.b', false],
    ['50%', '50\\%', true],
    ['a\\%', 'a\\\\%', true],
    ['abababac', '%aba_', true],
    ['aaab', '%a_b', true],
  ])('%j LIKE %j is %s', (text, pattern, expected) => {
    const like = compileCesql(`type LIKE '${pattern}'`)
    expect(like.evaluate(subjectOfParts({ type: text }, undefined))).toEqual({ value: expected })
  })
})

describe('DATA', () => {
  it.each([
    ["DATA('/n')", 5],
    ["DATA('/half')", '0.5'],
    ["DATA('/big')", '4294967296'],
    ["DATA('/text') = 'x'", true],
    ["DATA('/yes')", true],
    ["DATA('/list/0/a~1b')", 'c~d'],
    ["DATA('/list/-')", [false, 'missingAttribute']],
    ["DATA('/nothing')", [false, 'missingAttribute']],
    ["DATA('/constructor')", [false, 'missingAttribute']],
    ["DATA('/n/x')", [false, 'missingAttribute']],
    ["DATA('/object')", [false, 'functionEvaluation']],
    ["DATA('n')", [false, 'functionEvaluation']],
    ["DATA('/~2')", [false, 'functionEvaluation']],
  ])('%s', (text, expected) => {
    expect(value(text)).toEqual(expected)
  })

  it('is no function in strict mode', () => {
    const strict = compileFilter("DATA('/n') = 5", { strict: true })
    expect(strict.test(subject).error?.kind).toBe('missingFunction')
    expect(strict.warnings).toEqual([
      { message: expect.stringContaining('no function DATA'), position: expect.objectContaining({ column: 1 }) },
    ])
  })
})

it('warns of functions that do not exist, with the place', () => {
  expect(compileFilter({ all: [{ sql: 'TRUE OR NONE(1)' }] }).warnings).toEqual([
    {
      message: '/all/0/sql: there is no function NONE with 1 arguments at line 1, column 9',
      position: { path: '/all/0/sql', offset: 8, line: 1, column: 9 },
    },
  ])
})
