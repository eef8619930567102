import { bounds } from '../model/index.ts'
import type { Clock, StateStore } from '../spi/index.ts'

/**
 * Remembers which identified events were accepted, with what content and answer, so that the same request sent again
 * gets the same answer (design.md §2). It is an index: without an entry duplicates still meet at their derived ids.
 */
export type FireIdentities = {
  find(namespace: string, fireId: string): Promise<AcceptedIdentity | undefined>
  /** Called after the fire record is durable, before the answer. */
  remember(namespace: string, fireId: string, digest: string, fired: boolean, count?: number): Promise<void>
  /** Drops what is older than a day or beyond the number; resolves to how many. */
  prune(): Promise<number>
}

export type AcceptedIdentity = {
  readonly digest: string
  readonly atMs: number
  readonly fired: boolean
  /** Events that were sent to the namespace: how many triggers they fired. */
  readonly count?: number
}

const prefix = 'identities/'

export function createFireIdentities(state: StateStore, clock: Clock): FireIdentities {
  const keyOf = (namespace: string, fireId: string): string => `${prefix}${namespace}/${fireId}`
  return {
    async find(namespace, fireId) {
      const entry = (await state.get(keyOf(namespace, fireId)))?.value as AcceptedIdentity | undefined
      return entry && clock.nowMs() - entry.atMs <= bounds.fire.identityTtlMs ? entry : undefined
    },
    async remember(namespace, fireId, digest, fired, count) {
      await state.put(
        keyOf(namespace, fireId),
        { digest, atMs: clock.nowMs(), fired, ...(count === undefined ? {} : { count }) } satisfies AcceptedIdentity,
        'any',
      )
    },
    async prune() {
      const { identitiesMax, identityTtlMs } = bounds.fire
      const ages = new Map<string, number[]>()
      const expired: string[] = []
      await eachEntry(state, (key, { atMs }) => {
        if (clock.nowMs() - atMs > identityTtlMs) expired.push(key)
        else {
          const namespace = key.slice(prefix.length, key.lastIndexOf('/'))
          const list = ages.get(namespace)
          if (list) list.push(atMs)
          else ages.set(namespace, [atMs])
        }
      })
      for (const [namespace, list] of ages) {
        if (list.length <= identitiesMax) continue
        const cutMs = list.sort((a, b) => a - b)[list.length - identitiesMax] ?? 0
        await eachEntry(
          state,
          (key, { atMs }) => {
            if (atMs < cutMs) expired.push(key)
          },
          `${prefix}${namespace}/`,
        )
      }
      for (const key of expired) await state.delete(key)
      return expired.length
    },
  }
}

async function eachEntry(
  state: StateStore,
  see: (key: string, entry: AcceptedIdentity) => void,
  below = prefix,
): Promise<void> {
  let after: string | undefined
  for (;;) {
    const page = await state.scan({
      prefix: below,
      limit: bounds.store.scanMax,
      ...(after === undefined ? {} : { after }),
    })
    for (const { key, value } of page) see(key, value as AcceptedIdentity)
    after = page.at(-1)?.key
    if (page.length < bounds.store.scanMax) return
  }
}
