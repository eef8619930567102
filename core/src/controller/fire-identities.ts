import { bounds } from '../model/index.ts'
import type { Clock, StateEntry, StateStore } from '../spi/index.ts'

/**
 * Remembers which identified events were accepted, with what content and answer, so that the same request sent again
 * gets the same answer (design.md §2). It is an index: without an entry duplicates still meet at their derived ids.
 */
export type FireIdentities = {
  find(namespace: string, fireId: string): Promise<AcceptedIdentity | undefined>
  /** Called after the fire record is durable, before the answer. */
  remember(namespace: string, fireId: string, digest: string, fired: boolean, count?: number): Promise<void>
  /** Drops what is older than a day, and the oldest beyond the number of a namespace; resolves to how many. */
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

export function createFireIdentities(
  state: StateStore,
  clock: Clock,
  identitiesMax: number = bounds.fire.identitiesMax,
): FireIdentities {
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
      const { identityTtlMs } = bounds.fire
      const nowMs = clock.nowMs()
      let dropped = await deleteWhere(({ atMs }) => nowMs - atMs > identityTtlMs)
      for (const [namespace, ages] of await agesByNamespace(state)) {
        const total = [...ages.values()].reduce((sum, count) => sum + count, 0)
        const isOver = oldest(ages, total - identitiesMax)
        if (total > identitiesMax) dropped += await deleteWhere(isOver, `${prefix}${namespace}/`)
      }
      return dropped
    },
  }

  /** In small steps, which share their syncs, with a pause for others in between. */
  async function deleteWhere(isDoomed: (entry: AcceptedIdentity) => boolean, below = prefix): Promise<number> {
    let dropped = 0
    for await (const page of pages(state, below)) {
      const keys = page.flatMap(({ key, value }) => (isDoomed(value as AcceptedIdentity) ? [key] : []))
      for (let at = 0; at < keys.length; at += bounds.store.pruneBatch) {
        await Promise.all(keys.slice(at, at + bounds.store.pruneBatch).map(key => state.delete(key)))
        await clock.sleep(bounds.store.prunePauseMs)
      }
      dropped += keys.length
    }
    return dropped
  }
}

const minuteMs = 60_000

/** How many identities each namespace has, by the minute in which they came: some hundred numbers for a day. */
async function agesByNamespace(state: StateStore): Promise<Map<string, Map<number, number>>> {
  const namespaces = new Map<string, Map<number, number>>()
  for await (const page of pages(state, prefix)) {
    for (const { key, value } of page) {
      const namespace = key.slice(prefix.length, key.lastIndexOf('/'))
      const minute = Math.floor((value as AcceptedIdentity).atMs / minuteMs)
      const ages = namespaces.get(namespace) ?? new Map<number, number>()
      ages.set(minute, (ages.get(minute) ?? 0) + 1)
      namespaces.set(namespace, ages)
    }
  }
  return namespaces
}

/** True for so many of the oldest, to the minute: within the last one, for whichever is asked for first. */
function oldest(ages: ReadonlyMap<number, number>, count: number): (entry: AcceptedIdentity) => boolean {
  let left = count
  let lastMinute = -Infinity
  let within = 0
  for (const [minute, here] of [...ages].sort(([a], [b]) => a - b)) {
    if (left <= 0) break
    lastMinute = minute
    within = Math.min(left, here)
    left -= here
  }
  return ({ atMs }) => {
    const minute = Math.floor(atMs / minuteMs)
    return minute < lastMinute || (minute === lastMinute && within-- > 0)
  }
}

async function* pages(state: StateStore, below: string): AsyncGenerator<readonly StateEntry[]> {
  let after: string | undefined
  for (;;) {
    const page = await state.scan({
      prefix: below,
      limit: bounds.store.scanMax,
      ...(after === undefined ? {} : { after }),
    })
    if (page.length > 0) yield page
    after = page.at(-1)?.key
    if (page.length < bounds.store.scanMax) return
  }
}
