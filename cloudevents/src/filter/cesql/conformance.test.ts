/** The CESQL conformance kit, each case by its name, through the evaluator and as a filter. */
import { describe, expect, it } from 'vitest'
import { createEvent } from '../../create-event.ts'
import type { EventParts } from '../../event.ts'
import { compileFilter } from '../compile-filter.ts'
import { FilterError } from '../filter-error.ts'
import { subjectOf, type FilterSubject } from '../subject.ts'
import { filesOf, readSuiteFile, suiteIsThere } from '../testing/conformance.ts'
import { compileCesql } from './cesql.ts'

type Case = {
  name: string
  expression: string
  event?: Record<string, unknown>
  eventOverrides?: Record<string, unknown>
  result?: boolean | number | string
  error?: string
}

const there = suiteIsThere('cesql')
const files = there ? filesOf('cesql', '.yaml') : []

describe.skipIf(!there)('conformance/cesql', () => {
  it('has all cases at hand', () => {
    const all = files.flatMap(file => (readSuiteFile('cesql', file) as { tests: Case[] }).tests)
    expect(all.length).toBeGreaterThanOrEqual(204)
  })

  describe.each(files)('%s', file => {
    const { tests } = readSuiteFile('cesql', file) as { tests: Case[] }
    for (const one of tests) it(one.name, () => check(one))
  })
})

function check({ expression, result, error, ...rest }: Case): void {
  const subject = subjectOfCase(rest)
  if (error === 'parse') {
    expect(() => compileCesql(expression)).toThrow(FilterError)
    expect(() => compileFilter(expression)).toThrow(FilterError)
    return
  }
  const outcome = compileCesql(expression, { strict: true }).evaluate(subject)
  expect(outcome.value).toBe(result)
  expect(outcome.error?.kind).toBe(error)
  const decision = compileFilter({ sql: expression }).test(subject)
  expect(decision).toEqual(
    error === undefined ? { matched: result === true } : { matched: false, error: outcome.error },
  )
}

function subjectOfCase({ event, eventOverrides }: Pick<Case, 'event' | 'eventOverrides'>): FilterSubject {
  const all = event ?? { id: 'id-1', source: 'http://localhost/source', type: 'io.sluice.test', ...eventOverrides }
  const { id, source, type, subject, time, datacontenttype, dataschema, specversion, ...extensions } = all
  return subjectOf(
    createEvent(
      { id, source, type, subject, time, datacontenttype, dataschema, specversion, extensions } as EventParts,
      'accepted',
    ),
  )
}
