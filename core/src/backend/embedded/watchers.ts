import { bounds, SluiceError } from '../../model/index.ts'
import type { Logger } from '../../spi/index.ts'

export type Watchers<T> = { tell(change: T): void; add(fn: (change: T) => void): () => void }

/** Who wants to hear of changes in this process. A listener that throws does not keep the others from hearing. */
export function createWatchers<T>(log: Logger): Watchers<T> {
  const listeners = new Set<(change: T) => void>()
  return {
    tell(change) {
      for (const listener of listeners) {
        try {
          listener(change)
        } catch (error) {
          log.error({ err: error }, 'watcher of the store failed')
        }
      }
    },
    add(fn) {
      if (listeners.size >= bounds.store.watchersMax) throw new SluiceError('SLUICE_OVERLOADED', 'Too many watchers.')
      const own = (change: T) => fn(change)
      listeners.add(own)
      return () => void listeners.delete(own)
    },
  }
}
