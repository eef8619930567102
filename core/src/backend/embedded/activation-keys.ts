import { filterName, type ActivationRecord } from '../../model/index.ts'
import { ascending, clampMs, descending, endOf, fromDescending, keyOf, textOf } from './keys.ts'

/**
 * Where the parts of a record lie. Records themselves are in the order of their start: what was written together lies
 * together, which keeps the database's own rearranging cheap; a small entry leads from the id to the place.
 */
const records = keyOf('activation', 'record', '')

/** What leads from namespace and id to the record, and what pruning must know of it. */
export type IdEntry = {
  start: number
  /** For the name index; absent in unlisted records. */
  name?: string
  /** Characters of the record, which is about bytes. */
  size: number
  /** Of a trigger's record: the activation ids of its runs. */
  runs?: string[]
  /** Of a rule's run: the activation id of its trigger. */
  fire?: string
}

export type RecordPlace = { namespace: string; activationId: string; start: number }

export function idEntry(record: ActivationRecord, name: string | undefined, size: number): IdEntry {
  const { runs, fireId, rule } = record.sluice ?? {}
  const ids = runs?.flatMap(({ activationId }) => activationId ?? []) ?? []
  return {
    start: record.start,
    ...(name === undefined ? {} : { name }),
    size,
    ...(ids.length === 0 ? {} : { runs: ids }),
    ...(rule === undefined || fireId === undefined ? {} : { fire: fireId }),
  }
}

export function idKey({ namespace, activationId }: { namespace: string; activationId: string }): string {
  return keyOf('activation', 'id', namespace, activationId)
}

export function recordKey({ namespace, activationId, start }: RecordPlace): string {
  return `${records}${ascending(clampMs(start))}!${keyOf(namespace, activationId)}`
}

/** Newest first; the value is the summary. */
export function timeKey({ namespace, activationId, start }: RecordPlace): string {
  return `${keyOf('activation', 'time', namespace, '')}${descending(clampMs(start))}!${activationId}`
}

/** Newest first, for one name; no value. */
export function nameKey({ namespace, activationId, start }: RecordPlace, name: string): string {
  return `${keyOf('activation', 'name', namespace, name, '')}${descending(clampMs(start))}!${activationId}`
}

export function totalKey(namespace: string): string {
  return keyOf('activation', 'total', namespace)
}

/** The namespace of a key that `totalKey` made. */
export function namespaceOfTotal(key: string): string {
  return textOf(key.slice(totalKey('').length))
}

/** Undefined for unlisted records. */
export function indexedName(record: ActivationRecord): string | undefined {
  return record.sluice?.unlisted ? undefined : filterName(record)
}

/** The stretch of an index that a query selects; nothing when no start can match. */
export function indexRange(query: {
  namespace: string
  name?: string
  sinceMs?: number
  uptoMs?: number
}): { gte: string; lt: string } | undefined {
  const { namespace, name, sinceMs = 0, uptoMs = Number.MAX_SAFE_INTEGER } = query
  if (uptoMs < 0 || uptoMs < sinceMs) return undefined
  const prefix =
    name === undefined ? keyOf('activation', 'time', namespace, '') : keyOf('activation', 'name', namespace, name, '')
  return {
    gte: prefix + descending(clampMs(uptoMs)),
    lt: endOf(`${prefix}${descending(clampMs(Math.ceil(sinceMs)))}!`),
  }
}

/** The place of the record that a key of the time or name index stands for. */
export function placeOf(indexKey: string, namespace: string): RecordPlace {
  const parts = indexKey.split('!')
  return { namespace, activationId: parts.at(-1) ?? '', start: fromDescending(parts.at(-2) ?? '') }
}

export function recordPlaceOf(key: string): RecordPlace {
  const [start, namespace, activationId] = key.slice(records.length).split('!')
  return { start: Number(start), namespace: textOf(namespace ?? ''), activationId: textOf(activationId ?? '') }
}

/** Records that started before, or all. */
export function recordRange(beforeMs: number, from: string | undefined): { gt: string; lt: string } {
  return {
    gt: from ?? records,
    lt: beforeMs === Infinity ? endOf(records) : records + ascending(clampMs(Math.ceil(beforeMs))),
  }
}
