import { ApiError, bounds, isSluiceError, messages, type WhiskEntity } from '../model/index.ts'
import type { ArtifactStore, Clock, Stored } from '../spi/index.ts'
import type { EntityCache } from './entity-cache.ts'
import { documentOf, entityOf } from './entity-documents.ts'
import { createKeyedLock } from './keyed-lock.ts'

/** Entities with the API's errors, always read from the store: who asks after a write sees it (rest-api.md §3.5). */
export interface EntityStore {
  find(id: string): Promise<Stored | undefined>
  /** Throws 404, 409 for another kind of entity, 500 for a damaged document. */
  get<T extends WhiskEntity>(id: string, kind: T['entityType']): Promise<{ entity: T; revision: string }>
  /**
   * Creates or updates (rest-api.md §3.3.4). `make` gets what is there; without `overwrite` that is 409. Writes of one id
   * in this process come one after the other; losing a race against another process is 409.
   */
  put<T extends WhiskEntity>(
    id: string,
    kind: T['entityType'],
    overwrite: boolean,
    make: (existing: T | undefined) => T | Promise<T>,
    after?: (written: T, existing: T | undefined) => Promise<void>,
  ): Promise<T>
  /** Reads, changes, writes; again when another process was faster, up to the bound. Nothing is written when `change`
   *  gives the same entity. Resolves to nothing when there is no such entity. */
  change<T extends WhiskEntity>(id: string, kind: T['entityType'], change: (entity: T) => T): Promise<T | undefined>
  /** Throws as `get`. */
  delete<T extends WhiskEntity>(
    id: string,
    kind: T['entityType'],
    before?: (entity: T) => Promise<void>,
    after?: (entity: T) => Promise<void>,
  ): Promise<T>
  /** Epoch milliseconds for `updated`: later than any it gave before, so that lists keep the order of writes. */
  stampMs(): number
}

export function createEntityStore(deps: { artifacts: ArtifactStore; cache: EntityCache; clock: Clock }): EntityStore {
  const { artifacts, cache, clock } = deps
  const locked = createKeyedLock()
  let lastStampMs = 0

  async function write(id: string, entity: WhiskEntity, revision: string | undefined): Promise<void> {
    try {
      await artifacts.put(id, documentOf(entity), revision)
    } finally {
      // Also when the outcome is unknown: it may have been written.
      cache.drop(id)
    }
  }

  const store: EntityStore = {
    find: id => artifacts.get(id),

    async get(id, kind) {
      const stored = await artifacts.get(id)
      if (stored === undefined) throw new ApiError(404, messages.missing)
      return { entity: entityOf(stored, kind), revision: stored.revision }
    },

    put: (id, kind, overwrite, make, after) =>
      locked(id, async () => {
        const stored = await artifacts.get(id)
        const existing = stored === undefined ? undefined : entityOf<Awaited<ReturnType<typeof make>>>(stored, kind)
        if (existing !== undefined && !overwrite) throw new ApiError(409, messages.conflictExists)
        const made = await make(existing)
        await write(id, made, stored?.revision)
        await after?.(made, existing)
        return made
      }),

    change: (id, kind, change) =>
      locked(id, async () => {
        for (let attempt = 1; ; attempt++) {
          const stored = await artifacts.get(id)
          if (stored === undefined) return undefined
          const before = entityOf<ReturnType<typeof change>>(stored, kind)
          const after = change(before)
          if (after === before) return before
          try {
            await write(id, after, stored.revision)
            return after
          } catch (error) {
            if (!isSluiceError(error, 'SLUICE_CONFLICT') || attempt >= bounds.api.casRetriesMax) throw error
          }
        }
      }),

    delete: (id, kind, before, after) =>
      locked(id, async () => {
        const { entity, revision } = await store.get(id, kind)
        await before?.(entity as never)
        try {
          await artifacts.delete(id, revision)
        } catch (error) {
          if (isSluiceError(error, 'SLUICE_NOT_FOUND')) throw new ApiError(404, messages.missing, { cause: error })
          throw error
        } finally {
          cache.drop(id)
        }
        await after?.(entity as never)
        return entity as never
      }),

    stampMs() {
      const nowMs = clock.nowMs()
      const ahead = lastStampMs - nowMs
      lastStampMs = ahead >= 0 && ahead < bounds.api.stampLeadMsMax ? lastStampMs + 1 : nowMs
      return lastStampMs
    },
  }
  return store
}
