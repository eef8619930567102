import { describe, expect, it } from 'vitest'
import { bytesData, createEvent } from '../../index.ts'
import { seeded } from '../../testing/mutate.ts'
import { compileFilter, type CompiledFilter } from '../compile-filter.ts'
import { FilterError } from '../filter-error.ts'
import { subjectOf, subjectOfParts } from '../subject.ts'
import { randomEvent, randomFilter } from '../testing/random-filters.ts'
import { RuleSet } from './rule-set.ts'

const event = subjectOfParts(
  { specversion: '1.0', id: '1', source: '/a', type: 't' },
  { n: 5, s: 'abc', tags: ['x', 'y'] },
)

function setOf(definitions: Record<string, unknown>): RuleSet<string> {
  return new RuleSet(Object.entries(definitions).map(([id, definition]) => ({ id, filter: compileFilter(definition) })))
}

describe('a set of rules', () => {
  it('finds the same as its filters one by one, with the same errors', () => {
    const counts = { matched: 0, failed: 0, filtered: 0, refused: 0 }
    for (let seed = 0; seed < 60; seed++) {
      const next = seeded(seed)
      const filters: CompiledFilter[] = []
      const definitions: unknown[] = []
      while (filters.length < 60) {
        const definition = randomFilter(next)
        try {
          filters.push(compileFilter(definition))
          definitions.push(definition)
        } catch (error) {
          if (!(error instanceof FilterError)) throw error
          counts.refused++
        }
      }
      const set = new RuleSet(filters.map((filter, id) => ({ id, filter })))
      for (let round = 0; round < 20; round++) {
        const { attributes, data } = randomEvent(next)
        const subject = subjectOfParts(attributes, data)
        const { matched, failed } = set.match(subject)
        const errors = new Map(failed.map(({ id, error }) => [id, error]))
        const found = new Set(matched)
        expect(found.size).toBe(matched.length)
        filters.forEach((filter, id) => {
          const decision = filter.test(subject)
          // An expectation each would take most of the time.
          const error = errors.get(id)
          if (decision.matched !== found.has(id) || decision.error?.message !== error?.message)
            expect(
              { matched: found.has(id), error },
              JSON.stringify([seed, definitions[id], attributes, data]),
            ).toEqual(decision)
          counts[decision.matched ? 'matched' : decision.error ? 'failed' : 'filtered']++
        })
      }
    }
    // The vocabulary is small enough for all of this to happen often.
    expect(counts.matched).toBeGreaterThan(5000)
    expect(counts.failed).toBeGreaterThan(2000)
    expect(counts.filtered).toBeGreaterThan(5000)
  })

  it('takes rules without a filter as matching', () => {
    const set = new RuleSet([{ id: 'all' }, { id: 'none', filter: compileFilter({ exact: { type: 'x' } }) }])
    expect(set.match(event)).toEqual({ matched: ['all'], failed: [], undecided: [] })
  })

  it('names the rules that failed, with the error', () => {
    const { matched, failed } = setOf({ good: "type = 't'", bad: "missing = 'x'", worse: 'INT(source) = 1' }).match(
      event,
    )
    expect(matched).toEqual(['good'])
    expect(failed.map(({ id, error }) => [id, error.kind])).toEqual([
      ['bad', 'missingAttribute'],
      ['worse', 'cast'],
    ])
  })

  it('fails only the rules that need a payload that cannot be read', () => {
    const broken = createEvent({
      ...{ id: '1', source: '/a', type: 't', datacontenttype: 'application/json' },
      data: bytesData(Buffer.from('{"n":')),
    })
    const { matched, failed } = setOf({
      attribute: { exact: { type: 't' } },
      data: { pattern: { data: { n: [5] } } },
      absent: { pattern: { data: { n: [{ exists: false }] } } },
      other: { all: [{ exact: { type: 'u' } }, { pattern: { data: { n: [5] } } }] },
    }).match(subjectOf(broken))
    expect(matched).toEqual(['attribute'])
    expect(failed.map(({ id, error }) => [id, error.kind]).sort()).toEqual([
      ['absent', 'data'],
      ['data', 'data'],
    ])
  })

  it('leaves what JSONata decides for later, and only if the rest of the rule holds', () => {
    const jsonata = { check: () => undefined }
    const filters = { asked: 't', spared: 'u' }
    const set = new RuleSet(
      Object.entries(filters).map(([id, type]) => ({
        id,
        filter: compileFilter([{ exact: { type } }, { jsonata: 'data.n' }], { jsonata }),
      })),
    )
    expect(set.match(event)).toEqual({ matched: [], failed: [], undecided: ['asked'] })
  })

  it('decides a rule once, however many of its values an event has', () => {
    expect(setOf({ tags: { pattern: { data: { tags: ['x', 'y', { prefix: 'x' }] } } } }).match(event).matched).toEqual([
      'tags',
    ])
  })

  it('asks few rules when there are many', () => {
    let asked = 0
    const counting = subjectOfParts({}, undefined)
    const subject = {
      ...counting,
      attribute: (name: string) => {
        asked++
        return name === 'type' ? 'type-77' : name === 'subject' ? 'abcdef' : undefined
      },
      data: () => undefined,
      toObject: () => ({}),
    }
    const set = new RuleSet(
      Array.from({ length: 10_000 }, (_, id) => ({
        id,
        filter: compileFilter([{ exact: { type: `type-${id}` } }, { prefix: { subject: 'abc' } }]),
      })),
    )
    expect(set.match(subject).matched).toEqual([77])
    expect(asked).toBeLessThan(10)
  })
})
