/** The dialects of the Subscriptions API, each case by its name. */
import { describe, expect, it } from 'vitest'
import { createEvent } from '../create-event.ts'
import type { EventParts } from '../event.ts'
import { compileFilter } from './compile-filter.ts'
import { FilterError } from './filter-error.ts'
import { subjectOf } from './subject.ts'
import { readSuiteFile, suiteIsThere } from './testing/conformance.ts'

type Case = { name: string; filters: unknown; event?: Record<string, unknown>; result?: boolean; invalid?: true }

const there = suiteIsThere('subscriptions')

describe.skipIf(!there)('conformance/subscriptions/filters.json', () => {
  const { cases } = there ? (readSuiteFile('subscriptions', 'filters.json') as { cases: Case[] }) : { cases: [] }

  it('has all cases at hand', () => {
    expect(cases).toHaveLength(89)
  })

  for (const one of cases) {
    it(one.name, () => {
      if (one.invalid) return expect(() => compileFilter(one.filters)).toThrow(FilterError)
      const { id, source, type, subject, time, datacontenttype, dataschema, specversion, ...extensions } =
        one.event as Record<string, unknown>
      const event = createEvent(
        { id, source, type, subject, time, datacontenttype, dataschema, specversion, extensions } as EventParts,
        'accepted',
      )
      expect(compileFilter(one.filters).test(subjectOf(event)).matched).toBe(one.result)
    })
  }
})
