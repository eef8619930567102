/** The CESQL conformance kit, each case by its name, through the evaluator and as a filter. */
import { describe, expect, it } from 'vitest'
import { createEvent } from '../../create-event.ts'
import type { EventParts } from '../../event.ts'
import { compileFilter } from '../compile-filter.ts'
import { FilterError } from '../filter-error.ts'
import { subjectOf, type FilterSubject } from '../subject.ts'
import { readKit, type CesqlCase } from '../testing/conformance.ts'
import { compileCesql } from './cesql.ts'

const kit = readKit('cesql')

describe.skipIf(kit.length === 0)('conformance/cesql', () => {
  it('has all cases at hand', () => {
    expect(kit.flatMap(({ cases }) => cases)).toHaveLength(204)
  })

  describe.each(kit)('$file', ({ cases }) => {
    for (const one of cases) it(one.name, () => check(one))
  })
})

function check({ expression, result, error, ...rest }: CesqlCase): void {
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

function subjectOfCase({ event, eventOverrides }: Pick<CesqlCase, 'event' | 'eventOverrides'>): FilterSubject {
  const all = event ?? { id: 'id-1', source: 'http://localhost/source', type: 'io.sluice.test', ...eventOverrides }
  const { id, source, type, subject, time, datacontenttype, dataschema, specversion, ...extensions } = all
  return subjectOf(
    createEvent(
      { id, source, type, subject, time, datacontenttype, dataschema, specversion, extensions } as EventParts,
      'accepted',
    ),
  )
}
