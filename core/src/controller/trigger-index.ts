import { RuleSet, type CompiledFilter } from '@sluice/cloudevents/filter'
import { LRUCache } from 'lru-cache'
import { bounds, type WhiskTrigger } from '../model/index.ts'
import type { ArtifactStore, Clock } from '../spi/index.ts'
import { storedTriggerFilter } from './event-annotations.ts'
import type { RuleFilters } from './rule-filters.ts'

/**
 * The triggers of a namespace that ask for events by a filter (annotation `accepts`, events.md §3.4), compiled together.
 * Kept for a minute at most and dropped when the store tells of a change, as entities are.
 */
export type TriggerIndex = {
  accepting(namespace: string): Promise<Accepting>
  close(): void
}

export type Accepting = {
  readonly set: RuleSet<WhiskTrigger>
  /** Triggers whose `accepts` cannot be used: they were written past the API. */
  readonly unusable: number
}

type Entry = { readonly accepting: Accepting; readonly goodUntilMs: number }

export function createTriggerIndex(deps: {
  artifacts: ArtifactStore
  filters: RuleFilters
  clock: Clock
}): TriggerIndex {
  const { artifacts, filters, clock } = deps
  const entries = new LRUCache<string, Entry>({ max: bounds.api.triggerIndexMax })
  const loads = new Map<string, Promise<Accepting>>()

  const stopWatching = artifacts.watch(({ id, kind }) => {
    if (kind !== 'trigger') return
    const namespace = id.slice(0, id.indexOf('/'))
    entries.delete(namespace)
    // A load under way may have read the old state: it answers its callers and is not kept.
    loads.delete(namespace)
  })

  async function load(namespace: string): Promise<Accepting> {
    let unusable = 0
    const found: { id: WhiskTrigger; filter: CompiledFilter }[] = []
    const limit = bounds.api.listLimitMax
    for (let skip = 0; ; skip += limit) {
      const page = await artifacts.list({ namespace, kind: 'trigger', skip, limit })
      for (const { document } of page) {
        const trigger = document as unknown as WhiskTrigger
        const { filter, problem } = storedTriggerFilter(trigger.annotations, filters.jsonata)
        if (filter !== undefined) found.push({ id: trigger, filter })
        if (problem === undefined) continue
        unusable++
        filters.tell(`trigger ${namespace}/${trigger.name}`, problem.text)
      }
      if (page.length < limit) return { set: new RuleSet(found), unusable }
    }
  }

  return {
    accepting(namespace) {
      const entry = entries.get(namespace)
      if (entry !== undefined && entry.goodUntilMs > clock.monotonicMs()) return Promise.resolve(entry.accepting)
      const running = loads.get(namespace)
      if (running !== undefined) return running
      const loading = load(namespace)
      loads.set(namespace, loading)
      loading.then(
        accepting => {
          if (loads.get(namespace) !== loading) return
          loads.delete(namespace)
          entries.set(namespace, { accepting, goodUntilMs: clock.monotonicMs() + bounds.api.entityCacheTtlMs })
        },
        () => {
          if (loads.get(namespace) === loading) loads.delete(namespace)
        },
      )
      return loading
    },
    close: stopWatching,
  }
}
