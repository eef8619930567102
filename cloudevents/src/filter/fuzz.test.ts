/** Broken filters, seeded: whatever comes is compiled or refused, decided or failed, and quickly (reliability.md S3). */
import { expect, it } from 'vitest'
import { seeded } from '../testing/mutate.ts'
import { compileCesql } from './cesql/cesql.ts'
import { compileFilter, type CompiledFilter } from './compile-filter.ts'
import { FilterError } from './filter-error.ts'
import { checkJsonata } from './jsonata/syntax.ts'
import { RuleSet } from './matching/rule-set.ts'
import { compilePattern } from './pattern/compile-pattern.ts'
import { subjectOfParts } from './subject.ts'
import { brokenDefinition, brokenText, cesqlPieces, jsonataPieces } from './testing/broken-text.ts'
import { randomEvent, randomPattern, type Next } from './testing/random-filters.ts'

const inputs = 10_000
const jsonata = { check: checkJsonata }

/** Makes an input of a language and uses it up; true if it was a good one. */
type Attempt = (next: Next) => boolean

const languages: [name: string, attempt: Attempt][] = [
  [
    'CESQL',
    next => {
      const text = brokenText(next, cesqlPieces, 12)
      const { attributes, data } = randomEvent(next)
      const result = refusedOr(() => compileCesql(text))?.evaluate(subjectOfParts(attributes, data))
      return result !== undefined && result.value !== undefined
    },
  ],
  [
    'EventBridge patterns',
    next => {
      const definition = next(2) === 0 ? randomPattern(next, 2) : brokenDefinition(next, 5)
      const { attributes, data } = randomEvent(next)
      const matches = refusedOr(() => compilePattern(definition))
      return matches !== undefined && typeof matches({ ...attributes, data }) === 'boolean'
    },
  ],
  [
    'filters of the Subscriptions API',
    next => {
      const filter = refusedOr(() => compileFilter(brokenDefinition(next, 5), { jsonata }))
      return filter !== undefined && useUp(filter, next)
    },
  ],
  ['JSONata', next => checkJsonata(brokenText(next, jsonataPieces, 10)) === undefined],
]

it.each(languages)(
  '%s, broken in 10,000 ways, is compiled or refused and nothing else [sec:S3]',
  { timeout: 60_000 },
  (_, attempt) => {
    let good = 0
    let longestMs = 0
    for (let seed = 0; seed < inputs; seed++) {
      const since = process.cpuUsage()
      try {
        if (attempt(seeded(seed))) good++
      } catch (error) {
        throw new Error(`seed ${seed}`, { cause: error })
      }
      longestMs = Math.max(longestMs, process.cpuUsage(since).user / 1000)
    }
    expect(longestMs).toBeLessThan(1000)
    expect(good).toBeGreaterThan(100)
    expect(good).toBeLessThan(inputs - 100)
  },
)

function refusedOr<T>(compile: () => T): T | undefined {
  try {
    return compile()
  } catch (error) {
    if (!(error instanceof FilterError)) throw error
    // [sec:S19]: one line, bounded.
    if (!/^[^\n\r]{1,1000}$/.test(error.message)) throw new Error(`message: ${error.message}`, { cause: error })
    return undefined
  }
}

function useUp(filter: CompiledFilter, next: Next): boolean {
  const { attributes, data } = randomEvent(next)
  const subject = subjectOfParts(attributes, data)
  const { matched, failed } = new RuleSet([{ id: 1, filter }]).match(subject)
  const decision = filter.test(subject)
  if (!filter.needsJsonata) expect(matched.length + failed.length).toBe(decision.matched || decision.error ? 1 : 0)
  return true
}
