import type { StateEntry, StateStore } from '../../spi/index.ts'
import { Documents } from './documents.ts'

export function createState(): StateStore {
  const documents = new Documents<unknown>()

  function entry(key: string): StateEntry | undefined {
    const found = documents.get(key)
    return found && { key, ...found }
  }

  return {
    get: async key => entry(key),
    put: async (key, value, revision) => documents.put(key, value, revision),
    putMany: async writes =>
      writes.map(({ key, value, revision }) => {
        try {
          return documents.put(key, value, revision)
        } catch (error) {
          return error as Error
        }
      }),
    async delete(key, revision) {
      documents.delete(key, revision)
    },
    async scan({ prefix, after, limit, reverse = false }) {
      const sign = reverse ? -1 : 1
      return documents
        .keys()
        .filter(key => key.startsWith(prefix))
        .sort((a, b) => sign * compare(a, b))
        .filter(key => after === undefined || sign * compare(key, after) > 0)
        .slice(0, Math.max(0, limit))
        .map(key => entry(key) as StateEntry)
    },
    watch: (prefix, onChange) =>
      documents.watch((key, _, after) => {
        if (key.startsWith(prefix)) onChange({ key, deleted: after === undefined })
      }),
    close: async () => undefined,
  }
}

function compare(a: string, b: string): number {
  return Buffer.compare(Buffer.from(a), Buffer.from(b))
}
