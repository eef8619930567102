import { SluiceError } from '@sluice/core/model'
import type { StateStore } from '@sluice/core/spi'

/** A StateStore in memory for tests of providers, that can be made to fail and tells what was written. */
export type TestState = StateStore & {
  readonly entries: Map<string, { revision: string; value: unknown }>
  /** Every call rejects while this is true. */
  down: boolean
  /** Keys in the order in which they were written. */
  readonly written: string[]
}

export function testState(): TestState {
  const entries = new Map<string, { revision: string; value: unknown }>()
  const watchers = new Set<(key: string, deleted: boolean) => void>()
  let revisions = 0

  const reachable = () => {
    if (state.down) throw new SluiceError('SLUICE_STORE_UNAVAILABLE', 'the store is down')
  }

  const state: TestState = {
    entries,
    down: false,
    written: [],
    async get(key) {
      reachable()
      const found = entries.get(key)
      return found && { key, revision: found.revision, value: structuredClone(found.value) }
    },
    async put(key, value, revision) {
      reachable()
      const now = entries.get(key)?.revision
      if (revision !== 'any' && revision !== now) throw new SluiceError('SLUICE_CONFLICT', `${key} was changed`)
      const next = String(++revisions)
      entries.set(key, { revision: next, value: JSON.parse(JSON.stringify(value)) })
      state.written.push(key)
      for (const tell of watchers) tell(key, false)
      return next
    },
    async putMany(writes) {
      reachable()
      return Promise.all(
        writes.map(({ key, value, revision }) =>
          state.put(key, value, revision).catch((error: unknown) => error as Error),
        ),
      )
    },
    async delete(key, revision) {
      reachable()
      const now = entries.get(key)?.revision
      if (revision !== undefined && now !== undefined && revision !== now) {
        throw new SluiceError('SLUICE_CONFLICT', `${key} was changed`)
      }
      if (entries.delete(key)) for (const tell of watchers) tell(key, true)
    },
    async scan({ prefix, after = '', limit, reverse }) {
      reachable()
      const keys = [...entries.keys()].filter(key => key.startsWith(prefix) && (after === '' || key > after)).sort()
      if (reverse) keys.reverse()
      return keys.slice(0, limit).map(key => ({ key, ...structuredClone(entries.get(key)!) }))
    },
    watch(prefix, onChange) {
      const tell = (key: string, deleted: boolean) => {
        if (key.startsWith(prefix)) onChange({ key, deleted })
      }
      watchers.add(tell)
      return () => void watchers.delete(tell)
    },
    async close() {},
  }
  return state
}
