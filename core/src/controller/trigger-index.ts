import { RuleSet } from '@sluice/cloudevents/filter'
import { LRUCache } from 'lru-cache'
import { bounds, valueOf, type WhiskTrigger } from '../model/index.ts'
import type { ArtifactStore, Clock } from '../spi/index.ts'
import type { RuleFilters } from './rule-filters.ts'

/**
 * The triggers of a namespace that ask for events by a filter (annotation `accepts`, events.md §3.4), compiled together.
 * Kept for a minute at most and dropped when the store tells of a change, as entities are.
 */
export type TriggerIndex = {
  accepting(namespace: string): Promise<RuleSet<WhiskTrigger>>
  close(): void
}

type Entry = { readonly set: RuleSet<WhiskTrigger>; readonly goodUntilMs: number }

export function createTriggerIndex(deps: {
  artifacts: ArtifactStore
  filters: RuleFilters
  clock: Clock
}): TriggerIndex {
  const { artifacts, filters, clock } = deps
  const entries = new LRUCache<string, Entry>({ max: bounds.api.triggerIndexMax })
  const loads = new Map<string, Promise<RuleSet<WhiskTrigger>>>()

  const stopWatching = artifacts.watch(({ id, kind }) => {
    if (kind !== 'trigger') return
    const namespace = id.slice(0, id.indexOf('/'))
    entries.delete(namespace)
    // A load under way may have read the old state: it answers its callers and is not kept.
    loads.delete(namespace)
  })

  async function load(namespace: string): Promise<RuleSet<WhiskTrigger>> {
    const found: { id: WhiskTrigger; filter: ReturnType<RuleFilters['compile']> }[] = []
    const limit = bounds.api.listLimitMax
    for (let skip = 0; ; skip += limit) {
      const page = await artifacts.list({ namespace, kind: 'trigger', skip, limit })
      for (const { document } of page) {
        const trigger = document as unknown as WhiskTrigger
        const definition = valueOf(trigger.annotations, 'accepts')
        if (definition === undefined) continue
        try {
          found.push({ id: trigger, filter: filters.compile(definition) })
        } catch {
          // Written past the API: it accepts nothing, and explain says why.
        }
      }
      if (page.length < limit) return new RuleSet(found)
    }
  }

  return {
    accepting(namespace) {
      const entry = entries.get(namespace)
      if (entry !== undefined && entry.goodUntilMs > clock.monotonicMs()) return Promise.resolve(entry.set)
      const running = loads.get(namespace)
      if (running !== undefined) return running
      const loading = load(namespace)
      loads.set(namespace, loading)
      loading.then(
        set => {
          if (loads.get(namespace) !== loading) return
          loads.delete(namespace)
          entries.set(namespace, { set, goodUntilMs: clock.monotonicMs() + bounds.api.entityCacheTtlMs })
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
