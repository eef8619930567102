/** Runs work on one key one after the other; work on different keys does not meet. */
export type KeyedLock = <T>(key: string, work: () => Promise<T>) => Promise<T>

/** Bounded by the requests that may be in flight: each holds or waits for few keys. */
export function createKeyedLock(): KeyedLock {
  const tails = new Map<string, Promise<unknown>>()
  return async (key, work) => {
    const before = tails.get(key)
    const mine = before === undefined ? work() : before.then(work)
    const tail = mine.catch(() => {})
    tails.set(key, tail)
    try {
      return await mine
    } finally {
      if (tails.get(key) === tail) tails.delete(key)
    }
  }
}
