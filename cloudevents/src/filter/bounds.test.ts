/** What is too long, too deep or too dear is refused where it can be seen, and else stopped. */
import { describe, expect, it } from 'vitest'
import { compileFilter } from './compile-filter.ts'
import { filterLimits } from './limits.ts'
import { RuleSet } from './matching/rule-set.ts'
import { subjectOfParts } from './subject.ts'

function nested(depth: number, wrap: (inner: unknown) => unknown, leaf: unknown): unknown {
  let value = leaf
  for (let level = 0; level < depth; level++) value = wrap(value)
  return value
}

function refusal(definition: unknown): { path: string; message: string } {
  try {
    compileFilter(definition)
  } catch (error) {
    const { position, message } = error as { position: { path: string }; message: string }
    return { path: position.path, message }
  }
  throw new Error('was compiled')
}

function withinASecond<T>(run: () => T): T {
  // Of processor time: the machine may be busy.
  const since = process.cpuUsage()
  const result = run()
  expect(process.cpuUsage(since).user / 1000).toBeLessThan(1000)
  return result
}

describe('definitions', () => {
  it.each([
    ['a pattern', { pattern: nested(1000, inner => ({ a: inner }), ['x']) }],
    ['$or', { pattern: nested(1000, inner => ({ $or: [inner, { b: ['x'] }] }), { a: ['x'] }) }],
    ['not', nested(1000, inner => ({ not: inner }), { exact: { type: 'a' } })],
    ['all', nested(1000, inner => ({ all: [inner] }), { exact: { type: 'a' } })],
    ['CESQL brackets', `${'('.repeat(1000)}TRUE${')'.repeat(1000)}`],
    ['CESQL NOT', `${'NOT '.repeat(1000)}TRUE`],
    ['CESQL minus', `${'- '.repeat(1000)}1`],
    ['CESQL calls', `${'ABS('.repeat(1000)}1${')'.repeat(1000)}`],
  ])('that nest %s 1,000 deep are refused with the place', (_, definition) => {
    const { message } = withinASecond(() => refusal(definition))
    expect(message).toMatch(/nested (deeper than|at most) \d+/)
    expect(message.length).toBeLessThan(500)
  })

  it('that multiply out are refused', () => {
    const two = (name: string) => ({ $or: [{ [name]: ['x'] }, { [`${name}2`]: ['y'] }] })
    const names = Array.from({ length: 30 }, (_, n) => `f${n}`)
    const pattern = Object.fromEntries(names.map(name => [name, two(name)]))
    expect(withinASecond(() => refusal({ pattern })).message).toContain('alternatives')
  })

  it.each([
    ['an expression', `type = '${'x'.repeat(filterLimits.cesqlLengthMax)}'`, /characters/],
    ['parts of an expression', `type IN (${Array.from({ length: 6000 }, () => 'TRUE').join(', ')})`, /parts/],
    ['operators in a row', Array.from({ length: 502 }, () => 'TRUE').join(' OR '), /in a row/],
    ['a wildcard', { pattern: { a: [{ wildcard: 'ab*'.repeat(2000) }] } }, /characters/],
    ['a LIKE pattern', `type LIKE '${'a_'.repeat(1000)}'`, /characters between/],
    ['clauses', { any: Array.from({ length: 10_001 }, () => ({ exact: { type: 'a' } })) }, /clauses/],
  ])('with too many of %s are refused', (_, definition, message) => {
    expect(withinASecond(() => refusal(definition)).message).toMatch(message)
  })

  it('with as many parts as allowed are compiled and decided', () => {
    const filter = compileFilter(Array.from({ length: 500 }, () => 'TRUE').join(' AND '))
    expect(filter.test(subjectOfParts({}, undefined))).toEqual({ matched: true })
  })
})

describe('events', () => {
  const long = 'a'.repeat(1024 * 1024)
  const events = subjectOfParts({ id: '1', source: '/a', type: long }, { text: long })

  it.each([
    ['wildcard', { pattern: { data: { text: [{ wildcard: `${'a*'.repeat(1000)}b` }] } } }],
    ['wildcard with long pieces', { pattern: { data: { text: [{ wildcard: `*${'a'.repeat(2000)}b*c` }] } } }],
    ['LIKE', `type LIKE '%${'a_'.repeat(250)}b%c'`],
    ['LIKE with many gaps', `type LIKE '${'%a_'.repeat(1000)}b'`],
  ])('cannot make %s slow', (_, definition) => {
    const filter = compileFilter(definition)
    expect(withinASecond(() => filter.test(events)).matched).toBe(false)
  })

  it('cost a bounded amount of work, and then fail the rest', () => {
    const doubled = Array.from({ length: 60 }, () => 'UPPER(CONCAT(type, type))').join(', ')
    const filter = compileFilter(`LENGTH(CONCAT(${doubled})) > 0`)
    expect(withinASecond(() => filter.test(events))).toEqual({
      matched: false,
      error: { kind: 'generic', message: expect.stringContaining('more text') },
    })
    const rules = Array.from({ length: 200 }, (_, id) => ({
      id,
      filter: compileFilter({ pattern: { data: { text: [{ wildcard: `*b${id}*c*` }] } } }),
    }))
    const { matched, failed } = withinASecond(() => new RuleSet(rules).match(events))
    expect(matched).toEqual([])
    expect(failed.length).toBeGreaterThan(100)
  })

  it('nested beyond every stack fail rules, not the process', () => {
    let data: unknown = 'x'
    for (let depth = 0; depth < 200_000; depth++) data = [data]
    const filter = compileFilter({ pattern: { data: { a: ['x'] } } })
    const deep = subjectOfParts({ id: '1', source: '/a', type: 't' }, data)
    expect(filter.test(deep).error?.kind).toBe('generic')
    expect(new RuleSet([{ id: 1, filter }]).match(deep).failed).toEqual([
      { id: 1, error: { kind: 'generic', message: expect.stringContaining('deep') } },
    ])
  })
})
