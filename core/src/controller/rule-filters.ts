import { compileFilter, RuleSet, type CompiledFilter, type FilterSubject } from '@sluice/cloudevents/filter'
import type { JsonataEvaluator } from '@sluice/cloudevents/jsonata'
import { valueOf, type FiredRule, type RuleLink, type WhiskTrigger } from '../model/index.ts'

/**
 * Which rules of a trigger an event passes (events.md §3). A trigger's filters are compiled together, once for each
 * revision of its document; a trigger without filters costs nothing.
 */
export type RuleFilters = {
  /** The filters of a trigger's rules; nothing when no rule has one. */
  of(trigger: WhiskTrigger): TriggerFilters | undefined
  /** Compiles one definition. Throws FilterError. */
  compile(definition: unknown): CompiledFilter
  readonly jsonata: JsonataEvaluator
}

export type TriggerFilters = {
  /** How each rule with a filter stands towards an event; rules without one are not in it. At once where no JSONata is
   *  asked. Never rejects. */
  decide(subject: FilterSubject): FilterDecisions | Promise<FilterDecisions>
  /** By rule (`ns/rule`): why its stored filter cannot be used. */
  readonly broken: ReadonlyMap<string, string>
}

/** By rule: absent means that it passed or has no filter. */
export type FilterDecisions = ReadonlyMap<string, Pick<FiredRule, 'decision' | 'error'>>

const filtered = { decision: 'filtered' } as const

export function createRuleFilters(jsonata: JsonataEvaluator): RuleFilters {
  const known = new WeakMap<WhiskTrigger, TriggerFilters | 'none'>()
  const compile = (definition: unknown): CompiledFilter => compileFilter(definition, { jsonata })

  function compileAll(links: Readonly<Record<string, RuleLink>>): TriggerFilters | undefined {
    const filters = new Map<string, CompiledFilter>()
    const broken = new Map<string, string>()
    for (const [rule, { annotations }] of Object.entries(links)) {
      const definition = annotations && valueOf(annotations, 'filter')
      if (definition === undefined) continue
      try {
        filters.set(rule, compile(definition))
      } catch (error) {
        broken.set(rule, error instanceof Error ? error.message : String(error))
      }
    }
    if (filters.size + broken.size === 0) return undefined
    const names = [...filters.keys()]
    const set = new RuleSet([...filters].map(([id, filter]) => ({ id, filter })))
    const disabled = [...broken].map(([rule, error]) => [rule, { decision: 'inactive', error }] as const)

    function decisions({ matched, failed }: ReturnType<typeof set.match>): FilterDecisions {
      const outcome = new Map<string, Pick<FiredRule, 'decision' | 'error'>>(disabled)
      if (matched.length < names.length) {
        const passed = new Set(matched)
        for (const rule of names) if (!passed.has(rule)) outcome.set(rule, filtered)
        for (const { id, error } of failed) outcome.set(id, { decision: 'filtered', error: error.message })
      }
      return outcome
    }

    return {
      broken,
      decide(subject) {
        const match = set.match(subject)
        return match.undecided.length === 0 ? decisions(match) : set.settle(match, subject, jsonata).then(decisions)
      },
    }
  }

  return {
    jsonata,
    compile,
    of(trigger) {
      const { rules } = trigger
      if (rules === undefined) return undefined
      let found = known.get(trigger)
      if (found === undefined) known.set(trigger, (found = compileAll(rules) ?? 'none'))
      return found === 'none' ? undefined : found
    },
  }
}
