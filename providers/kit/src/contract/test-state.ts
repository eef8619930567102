import { openMemoryBackend } from '@sluice/core/backend/memory'
import { SluiceError } from '@sluice/core/model'
import { systemClock, systemRandom, type StateEntry, type StateStore } from '@sluice/core/spi'

/** Core's state in memory, that can be made to fail and tells what was written. */
export type TestState = StateStore & {
  /** Every call rejects while this is true. */
  down: boolean
  /** Keys of puts, in the order in which they were made. */
  readonly written: string[]
  /** Everything below a prefix, whether the store is down or not. */
  dump(prefix: string): Promise<StateEntry[]>
}

export function testState(): TestState {
  const { state: store } = openMemoryBackend({ clock: systemClock, random: systemRandom })
  const reachable = () => {
    if (state.down) throw new SluiceError('SLUICE_STORE_UNAVAILABLE', 'the store is down')
  }
  const state: TestState = {
    down: false,
    written: [],
    dump: prefix => store.scan({ prefix, limit: 100_000 }),
    async get(key) {
      reachable()
      return store.get(key)
    },
    async put(key, value, revision) {
      reachable()
      state.written.push(key)
      return store.put(key, value, revision)
    },
    async putMany(writes) {
      reachable()
      state.written.push(...writes.map(({ key }) => key))
      return store.putMany(writes)
    },
    async delete(key, revision) {
      reachable()
      return store.delete(key, revision)
    },
    async scan(query) {
      reachable()
      return store.scan(query)
    },
    watch: (prefix, onChange) => store.watch(prefix, onChange),
    close: () => store.close(),
  }
  return state
}
