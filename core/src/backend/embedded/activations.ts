import {
  bounds,
  parseJson,
  SluiceError,
  stringifyJson,
  summaryOf,
  type ActivationRecord,
  type ActivationSummary,
} from '../../model/index.ts'
import type { ActivationQuery, ActivationStore } from '../../spi/index.ts'
import {
  idKey,
  indexedName,
  indexRange,
  nameKey,
  placeOf,
  recordKey,
  recordPlaceOf,
  recordRange,
  timeKey,
  type IdEntry,
} from './activation-keys.ts'
import { ActivationTotals } from './activation-totals.ts'
import type { Writer } from './batch.ts'
import type { Database } from './database.ts'

export type EmbeddedActivations = ActivationStore & {
  /** Characters of all records, which is about bytes. */
  bytes(): number
}

export async function openActivations(database: Database): Promise<EmbeddedActivations> {
  const { commits } = database
  const totals = new ActivationTotals()
  await totals.read(database)
  commits.beforeSeal(writer => totals.write(writer))
  /** Everything up to here has been pruned: the next pruning need not look at what lies deleted there. */
  let prunedUpTo: string | undefined

  async function insert(record: ActivationRecord, options?: { fresh?: boolean }): Promise<'inserted' | 'exists'> {
    const key = idKey(record)
    const early = commits.underWay(key)
    if (early?.document) {
      await early.durable
      return 'exists'
    }
    if (!options?.fresh && database.has(key)) return 'exists'
    const text = stringifyJson(record)
    if (text.length > bounds.store.documentBytesMax) {
      throw new SluiceError('SLUICE_TOO_LARGE', `The record of activation ${record.activationId} is too large.`)
    }
    const name = indexedName(record)
    const entry: IdEntry = { start: record.start, name, size: text.length }
    const place = recordKey(record)
    const summary = name === undefined ? '' : stringifyJson(summaryOf(record))
    if (prunedUpTo !== undefined && place <= prunedUpTo) prunedUpTo = undefined
    await commits.write(writer => {
      writer.putTracked(key, JSON.stringify(entry))
      writer.put(place, text)
      if (name !== undefined) {
        writer.put(timeKey(record), summary)
        writer.mark(nameKey(record, name))
      }
      totals.add(record.namespace, name === undefined ? 0 : 1, text.length)
    })
    return 'inserted'
  }

  /** Index keys that match, newest first, after `skip`. */
  async function matching(query: ActivationQuery & { limit: number }): Promise<string[]> {
    const range = indexRange(query)
    if (!range || query.limit <= 0) return []
    const found: string[] = []
    let skip = query.skip
    for await (const keys of database.keySteps({ ...range, limit: query.skip + query.limit })) {
      found.push(...keys.slice(skip))
      skip = Math.max(0, skip - keys.length)
    }
    return found
  }

  /** Damaged ones are left out. */
  async function* recordsAt(keys: readonly string[]): AsyncGenerator<ActivationRecord> {
    for (const key of keys) {
      const [document] = await database.getMany([key])
      if (document) yield parseJson(document.body) as ActivationRecord
    }
  }

  async function recordsToPrune(beforeMs: number, limit: number): Promise<string[]> {
    const found: string[] = []
    for await (const keys of database.keySteps({ ...recordRange(beforeMs, prunedUpTo), limit })) found.push(...keys)
    return found
  }

  return {
    insert,
    async insertMany(records) {
      const outcomes = await Promise.allSettled(records.map(record => insert(record)))
      return outcomes.map(outcome => (outcome.status === 'fulfilled' ? outcome.value : (outcome.reason as Error)))
    },
    async get(namespace, activationId) {
      const found = database.getSync(idKey({ namespace, activationId }))
      if (!found) return undefined
      const { start } = JSON.parse(found.body) as IdEntry
      const document = await database.get(recordKey({ namespace, activationId, start }))
      return document && (parseJson(document.body) as ActivationRecord)
    },
    async list(query) {
      const keys = await matching(query)
      const places = keys.map(key => placeOf(key, query.namespace))
      const summaries = await database.getMany(query.name === undefined ? keys : places.map(timeKey))
      return summaries.flatMap(document => (document ? [parseJson(document.body) as ActivationSummary] : []))
    },
    async listFull(query) {
      const places = (await matching(query)).map(key => placeOf(key, query.namespace))
      const entries = await database.getMany(places.map(idKey))
      const size = entries.reduce((sum, entry) => sum + (entry ? (JSON.parse(entry.body) as IdEntry).size : 0), 0)
      if (size > query.bytesMax) {
        throw new SluiceError('SLUICE_TOO_LARGE', `The records have ${size} characters, more than ${query.bytesMax}.`)
      }
      return recordsAt(places.map(recordKey))
    },
    async count(query) {
      const { namespace, name, sinceMs, uptoMs, skip } = query
      if (name === undefined && sinceMs === undefined && uptoMs === undefined) {
        return Math.max(0, totals.listed(namespace) - skip)
      }
      const range = indexRange(query)
      let count = 0
      if (range) for await (const keys of database.keySteps(range)) count += keys.length
      return Math.max(0, count - skip)
    },
    async prune(beforeMs, limit) {
      const keys = await recordsToPrune(beforeMs, limit)
      if (keys.length === 0) return 0
      const places = keys.map(recordPlaceOf)
      const entries = await database.getMany(places.map(idKey))
      const remove = (writer: Writer) => {
        for (const [at, place] of places.entries()) {
          const document = entries[at]
          const entry = document && (JSON.parse(document.body) as IdEntry)
          writer.del(keys[at] ?? '')
          writer.del(idKey(place))
          writer.del(timeKey(place))
          if (entry?.name !== undefined) writer.del(nameKey(place, entry.name))
          if (entry) totals.add(place.namespace, entry.name === undefined ? 0 : -1, -entry.size)
        }
      }
      await commits.write(remove)
      prunedUpTo = keys.at(-1)
      return keys.length
    },
    bytes: () => totals.bytes,
    close: () => commits.settled(),
  }
}
