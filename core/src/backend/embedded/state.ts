import { parseJson, stringifyJson } from '../../model/index.ts'
import type { Logger, StateEntry, StateStore } from '../../spi/index.ts'
import type { Database, Range } from './database.ts'
import { deleteDocument, putDocument, revisionOf } from './documents.ts'
import type { Document } from './envelope.ts'
import { endOf } from './keys.ts'
import { createWatchers } from './watchers.ts'

/** Keys follow as they are, so that their order is the caller's. */
const home = 'state!'

export function createState(database: Database, log: Logger): StateStore {
  const watchers = createWatchers<{ key: string; deleted: boolean }>(log)

  async function put(key: string, value: unknown, revision?: string): Promise<string> {
    const committed = () => watchers.tell({ key, deleted: false })
    return revisionOf(await putDocument(database, home + key, stringifyJson(value), { revision, committed }))
  }

  return {
    async get(key) {
      const document = database.getSync(home + key)
      return document && entryOf(key, document)
    },
    put,
    async putMany(writes) {
      const outcomes = await Promise.allSettled(writes.map(({ key, value, revision }) => put(key, value, revision)))
      return outcomes.map(outcome => (outcome.status === 'fulfilled' ? outcome.value : (outcome.reason as Error)))
    },
    async delete(key, revision) {
      await deleteDocument(database, home + key, { revision, committed: () => watchers.tell({ key, deleted: true }) })
    },
    async scan({ prefix, after, limit, reverse = false }) {
      if (limit <= 0) return []
      const range = rangeOf(prefix, after, reverse)
      const found = await database.entries({ ...range, reverse, limit })
      return found.map(({ key, document }) => entryOf(key.slice(home.length), document))
    },
    watch: (prefix, onChange) =>
      watchers.add(change => {
        if (change.key.startsWith(prefix)) onChange(change)
      }),
    async close() {
      await database.commits.settled()
    },
  }
}

function entryOf(key: string, document: Document): StateEntry {
  return { key, revision: revisionOf(document), value: parseJson(document.body) }
}

function rangeOf(prefix: string, after: string | undefined, reverse: boolean): Range {
  const whole = { gte: home + prefix, lt: endOf(home + prefix) }
  if (after === undefined) return whole
  // What lies outside the prefix moves to its nearer end.
  if (reverse)
    return isBefore(after, prefix)
      ? { gte: whole.gte, lt: whole.gte }
      : { gte: whole.gte, lt: minOf(home + after, whole.lt) }
  return isBefore(after, prefix) ? whole : { gt: home + after, lt: whole.lt }
}

function minOf(a: string, b: string): string {
  return isBefore(a, b) ? a : b
}

function isBefore(a: string, b: string): boolean {
  return Buffer.compare(Buffer.from(a), Buffer.from(b)) < 0
}
