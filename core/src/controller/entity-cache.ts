import { LRUCache } from 'lru-cache'
import { bounds, stringifyJson } from '../model/index.ts'
import type { ArtifactStore, Clock, Stored } from '../spi/index.ts'

/**
 * Entities that invokes and fires look up, kept for a minute at most and dropped when the store tells of a change
 * (reliability.md §6.3.4). Code is left out. Missing entities are not remembered.
 */
export interface EntityCache {
  /** The entity when it is known and fresh. */
  peek(id: string): Stored | undefined
  /** From the cache, or from the store; simultaneous loads of one id are one read. */
  get(id: string): Stored | undefined | Promise<Stored | undefined>
  /** Whoever wrote an entity here calls this before answering, so that the next request sees it. */
  drop(id: string): void
  close(): void
}

type Entry = { readonly stored: Stored; readonly goodUntilMs: number }

export function createEntityCache(deps: { artifacts: ArtifactStore; clock: Clock }): EntityCache {
  const { artifacts, clock } = deps
  const entries = new LRUCache<string, Entry>({
    max: bounds.api.entityCacheMax,
    maxSize: bounds.api.entityCacheBytesMax,
    sizeCalculation: entry => stringifyJson(entry.stored.document).length + 1,
  })
  const loads = new Map<string, Promise<Stored | undefined>>()

  function drop(id: string): void {
    entries.delete(id)
    // A load under way may have read the old state: let it answer its callers, and keep nothing of it.
    loads.delete(id)
  }

  const stopWatching = artifacts.watch(({ id }) => drop(id))

  function peek(id: string): Stored | undefined {
    const entry = entries.get(id)
    return entry !== undefined && entry.goodUntilMs > clock.monotonicMs() ? entry.stored : undefined
  }

  function load(id: string): Promise<Stored | undefined> {
    const running = loads.get(id)
    if (running !== undefined) return running
    const loading = artifacts.get(id).then(
      found => {
        // Of one revision there is one object, so that what was made of it (compiled filters) is made once.
        const known = entries.peek(id)?.stored
        const stored = found && (known?.revision === found.revision ? known : withoutCode(found))
        if (loads.get(id) === loading) {
          loads.delete(id)
          if (stored !== undefined) {
            entries.set(id, { stored, goodUntilMs: clock.monotonicMs() + bounds.api.entityCacheTtlMs })
          }
        }
        return stored
      },
      (error: unknown) => {
        if (loads.get(id) === loading) loads.delete(id)
        throw error
      },
    )
    loads.set(id, loading)
    return loading
  }

  return { peek, get: id => peek(id) ?? load(id), drop, close: stopWatching }
}

function withoutCode(stored: Stored): Stored {
  const exec = stored.document['exec'] as { code?: string } | undefined
  if (stored.document.entityType !== 'action' || typeof exec?.code !== 'string') return stored
  const { code: _, ...rest } = exec
  return { ...stored, document: { ...stored.document, exec: rest } }
}
