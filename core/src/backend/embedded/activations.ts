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
  idEntry,
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
  type RecordPlace,
} from './activation-keys.ts'
import { ActivationTotals } from './activation-totals.ts'
import type { Database } from './database.ts'

export type EmbeddedActivations = ActivationStore & {
  /** Characters of all records, which is about bytes. */
  bytes(): number
}

type Doomed = { readonly key: string; readonly place: RecordPlace; readonly entry: IdEntry | undefined }

export async function openActivations(database: Database): Promise<EmbeddedActivations> {
  const { commits } = database
  const totals = new ActivationTotals()
  await totals.read(database)
  commits.beforeSeal(writer => totals.write(writer))
  /** Up to here the pass that is under way has looked: the next step need not look at what lies deleted there. */
  let prunedUpTo: string | undefined
  /** Where the next pass begins: before the first record that had to be kept. */
  let keptFrom: { key: string | undefined } | undefined

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
    const entry = idEntry(record, name, text.length)
    const place = recordKey(record)
    const summary = name === undefined ? '' : stringifyJson(summaryOf(record))
    if (prunedUpTo !== undefined && place <= prunedUpTo) prunedUpTo = keptFrom = undefined
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

  /**
   * The next records in order of their start that nobody needs any more, at most `limit`. A trigger's record is needed until
   * each of its runs has a record, and those records as long as the trigger's is there: so a fire that is not settled stays
   * as a whole, and one that is goes as a whole (design.md §3.9).
   */
  async function recordsToPrune(beforeMs: number, limit: number): Promise<Doomed[]> {
    const found: Doomed[] = []
    for (;;) {
      const keys: string[] = []
      for await (const step of database.keySteps({ ...recordRange(beforeMs, prunedUpTo), limit })) keys.push(...step)
      const places = keys.map(recordPlaceOf)
      const entries = await database.getMany(places.map(idKey))
      const going = new Set(found.map(({ place }) => idKey(place)))
      for (const [at, place] of places.entries()) {
        const key = keys[at] ?? ''
        const document = entries[at]
        const entry = document && (JSON.parse(document.body) as IdEntry)
        if (isNeeded(place.namespace, entry, going)) keptFrom ??= { key: prunedUpTo }
        else {
          found.push({ key, place, entry })
          going.add(idKey(place))
        }
        prunedUpTo = key
        if (found.length === limit) return found
      }
      if (keys.length < limit) break
    }
    // The end of the pass. What was kept is looked at again in the next one.
    if (keptFrom && found.length === 0) {
      prunedUpTo = keptFrom.key
      keptFrom = undefined
    }
    return found
  }

  function isNeeded(namespace: string, entry: IdEntry | undefined, going: ReadonlySet<string>): boolean {
    const there = (activationId: string) => database.has(idKey({ namespace, activationId }))
    if (entry?.runs) return !entry.runs.every(there)
    return entry?.fire !== undefined && !going.has(idKey({ namespace, activationId: entry.fire })) && there(entry.fire)
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
      if (limit <= 0) return 0
      const doomed = await recordsToPrune(beforeMs, limit)
      if (doomed.length === 0) return 0
      await commits.write(writer => {
        for (const { key, place, entry } of doomed) {
          writer.del(key)
          writer.del(idKey(place))
          writer.del(timeKey(place))
          if (entry?.name !== undefined) writer.del(nameKey(place, entry.name))
          if (entry) totals.add(place.namespace, entry.name === undefined ? 0 : -1, -entry.size)
        }
      })
      return doomed.length
    },
    bytes: () => totals.bytes,
    close: () => commits.settled(),
  }
}
