import { RuleSet, type CompiledFilter, type FilterSubject } from '@sluice/cloudevents/filter'
import type { JsonataEvaluator } from '@sluice/cloudevents/jsonata'
import { LRUCache } from 'lru-cache'
import { bounds, valueOf, type FiredRule, type RuleLink, type WhiskTrigger } from '../model/index.ts'
import { storedRuleFilter } from './event-annotations.ts'

/**
 * Which rules of a trigger an event passes (events.md §3). A trigger's filters are compiled together, once for each
 * revision of its document; a trigger without filters costs nothing.
 */
export type RuleFilters = {
  /** The filters of a trigger's rules; nothing when no rule has one, and none an annotation that cannot be used. */
  of(trigger: WhiskTrigger): TriggerFilters | undefined
  /** Tells of a stored annotation that cannot be used, once. */
  tell(entity: string, problem: string): void
  readonly jsonata: JsonataEvaluator
}

export type TriggerFilters = {
  /** How each rule with a filter stands towards an event; rules without one are not in it. At once where no JSONata is
   *  asked. Never rejects. */
  decide(subject: FilterSubject): FilterDecisions | Promise<FilterDecisions>
  /** False when a rule is only kept from running by an annotation of another kind. */
  readonly hasFilters: boolean
}

/** By rule: absent means that it passed or has no filter. */
export type FilterDecisions = ReadonlyMap<string, Pick<FiredRule, 'decision' | 'error'>>

const filtered = { decision: 'filtered' } as const

export function createRuleFilters(
  jsonata: JsonataEvaluator,
  observe: { unusable?(entity: string, problem: string): void } = {},
): RuleFilters {
  /** An entity is read again every minute at least, and its problem is no news then. */
  const told = new LRUCache<string, true>({ max: bounds.api.toldProblemsMax })
  const known = new WeakMap<WhiskTrigger, TriggerFilters | 'none'>()

  function tell(entity: string, problem: string): void {
    const key = `${entity} ${problem}`
    if (!told.has(key)) observe.unusable?.(entity, problem)
    told.set(key, true)
  }

  function compileAll(links: Readonly<Record<string, RuleLink>>): TriggerFilters | undefined {
    const filters = new Map<string, CompiledFilter>()
    const disabled: [rule: string, decision: Pick<FiredRule, 'decision' | 'error'>][] = []
    let hasFilters = false
    for (const [rule, { annotations }] of Object.entries(links)) {
      if (annotations === undefined) continue
      hasFilters ||= valueOf(annotations, 'filter') !== undefined
      const { filter, problem } = storedRuleFilter(annotations, jsonata)
      if (problem !== undefined) {
        disabled.push([rule, { decision: 'inactive', error: problem.text }])
        tell(`rule ${rule}`, problem.text)
      } else if (filter !== undefined) filters.set(rule, filter)
    }
    if (filters.size + disabled.length === 0) return undefined
    const names = [...filters.keys()]
    const set = new RuleSet([...filters].map(([id, filter]) => ({ id, filter })))

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
      hasFilters,
      decide(subject) {
        const match = set.decide(subject, jsonata)
        return match instanceof Promise ? match.then(decisions) : decisions(match)
      },
    }
  }

  return {
    jsonata,
    tell,
    of(trigger) {
      const { rules } = trigger
      if (rules === undefined) return undefined
      let found = known.get(trigger)
      if (found === undefined) known.set(trigger, (found = compileAll(rules) ?? 'none'))
      return found === 'none' ? undefined : found
    },
  }
}
