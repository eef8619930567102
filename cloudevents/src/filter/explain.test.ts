import { expect, it } from 'vitest'
import { compileFilter } from './compile-filter.ts'
import { explain } from './explain.ts'
import { subjectOfParts } from './subject.ts'

const subject = subjectOfParts(
  { id: '1', source: '/a', type: 't', n: '5' },
  {
    items: [
      { a: 1, b: 2 },
      { a: 3, b: 4 },
    ],
  },
)

it.each<[definition: unknown, path: string, language: string, text: string, reason: string]>([
  [{ exact: { type: 'x' } }, '', 'exact', '{"exact":{"type":"x"}}', 'type is "t", not one that is "x"'],
  [
    [{ exact: { type: 't' } }, { all: [{ suffix: { source: '/b' } }] }],
    '/1/all/0',
    'suffix',
    '{"suffix":{"source":"/b"}}',
    'source is "/a", not one that ends with "/b"',
  ],
  [{ not: { sql: 'TRUE' } }, '', 'not', '{"not":{"sql":"TRUE"}}', 'the filter inside holds'],
  [
    { any: [{ exact: { type: 'x' } }, { sql: 'n > 6' }] },
    '',
    'any',
    '{"any":[{"exact":{"type":"x"}},{"sql":"n > 6"}]}',
    'none of 2 filters holds: type is "t", not one that is "x"; n > 6 is false; n is "5"',
  ],
  [
    "(n = 5) AND (type = 'x' OR FALSE)",
    '',
    'cesql',
    "(n = 5) AND (type = 'x' OR FALSE)",
    '(type = \'x\' OR FALSE) is false; type is "t"',
  ],
  ['n + 1', '', 'cesql', 'n + 1', 'n + 1 is 6, which is no boolean; n is "5"'],
  [{ sql: 'INT(type) = 1' }, '', 'sql', 'INT(type) = 1', 'cast: "t" is no integer of 32 bits'],
  [
    { pattern: { type: ['t'], data: { items: { a: [1], b: [4] } } } },
    '',
    'pattern',
    '{"pattern":{"type":["t"],"data":{"items":{"a":[1],"b":[4]}}}}',
    'each field holds, but no element of an array has all of them',
  ],
  [
    { pattern: { $or: [{ type: ['x'] }, { data: { items: { c: [1, { exists: true }] } } }] } },
    '',
    'pattern',
    '{"pattern":{"$or":[{"type":["x"]},{"data":{"items":{"c":[1,{"exists":true}]}}}]}}',
    'no alternative holds: type is "t"; wanted is one that is "x"; data.items.c is absent; wanted is one that is 1, or exists',
  ],
])('says why %j fails', async (definition, path, language, text, reason) => {
  const { matched, clause } = await explain(compileFilter(definition), subject)
  expect({ matched, clause }).toEqual({ matched: false, clause: { path, language, text, reason } })
})

it('has no clause for a match', async () => {
  expect(
    await explain(compileFilter([{ exact: { type: 't' } }, { any: [{ sql: 'x = 1' }, { sql: 'TRUE' }] }]), subject),
  ).toEqual({
    matched: true,
  })
})

it('says that JSONata is not there without an evaluator', async () => {
  const filter = compileFilter({ jsonata: '1' }, { jsonata: { check: () => undefined } })
  expect((await explain(filter, subject)).error).toEqual({ kind: 'jsonata', message: 'JSONata is not available here' })
  expect(filter.test(subject).error?.kind).toBe('jsonata')
})

it('keeps an explanation of a huge event short', async () => {
  const huge = subjectOfParts(
    { id: '1', source: '/a', type: 'x'.repeat(1_000_000) },
    { list: Array.from({ length: 10_000 }, (_, n) => n) },
  )
  for (const definition of ["type = 'a'", { exact: { type: 'a' } }, { pattern: { data: { list: [-1] } } }]) {
    expect((await explain(compileFilter(definition), huge)).clause?.reason.length).toBeLessThan(500)
  }
})
