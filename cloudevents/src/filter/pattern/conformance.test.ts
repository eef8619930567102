/** The EventBridge patterns of the conformance data, each case by its name. */
import { describe, expect, it } from 'vitest'
import { FilterError } from '../filter-error.ts'
import { differencesOf, filesOf, readSuiteFile, suiteIsThere } from '../testing/conformance.ts'
import { compilePattern } from './compile-pattern.ts'

type Case = {
  name: string
  pattern?: unknown
  patternText?: string
  event?: Record<string, unknown>
  eventText?: string
  matches?: boolean
  invalid?: true
  quirk?: true
}

/** By name: why a case is answered differently here. */
const differences = differencesOf('event-ruler')

const there = suiteIsThere('event-ruler')
const files = there ? filesOf('event-ruler', '.json') : []

describe.skipIf(!there)('conformance/event-ruler', () => {
  it('has all cases at hand', () => {
    const all = files.flatMap(file => (readSuiteFile('event-ruler', file) as { cases: Case[] }).cases)
    expect(all).toHaveLength(237)
    expect(all.map(one => one.name)).toEqual(expect.arrayContaining(Object.keys(differences)))
  })

  describe.each(files)('%s', file => {
    const { cases } = readSuiteFile('event-ruler', file) as { cases: Case[] }
    for (const one of cases) it(one.name, () => check(one))
  })
})

function check(one: Case): void {
  const read = () => (one.patternText === undefined ? one.pattern : (JSON.parse(one.patternText) as unknown))
  if (one.invalid) {
    if (one.patternText === undefined) expect(() => compilePattern(read())).toThrow(FilterError)
    else expect(read).toThrow(SyntaxError)
    return
  }
  const event = one.eventText === undefined ? one.event : (JSON.parse(one.eventText) as Record<string, unknown>)
  const matched = compilePattern(read())(event as Record<string, unknown>)
  const differs = differences[one.name] !== undefined
  if (differs) expect(one.quirk).toBe(true)
  expect(matched).toBe(differs ? !one.matches : one.matches)
}
