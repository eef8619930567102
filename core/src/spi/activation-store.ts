import type { ActivationRecord, ActivationSummary } from '../model/index.ts'

/** Keeps one terminal record for each activation (reliability.md P4). */
export interface ActivationStore {
  /** Resolves once the record is durable: `inserted`, or `exists` when one with this namespace and id was there: the
   *  first one stays as it is. `fresh` is the caller's promise that nobody can have written
   *  this id before, which spares the look-up. */
  insert(record: ActivationRecord, options?: { fresh?: boolean }): Promise<'inserted' | 'exists'>
  /** One result for each record, in order; a bad record does not fail its neighbours. */
  insertMany(records: readonly ActivationRecord[]): Promise<('inserted' | 'exists' | Error)[]>
  /** Unlisted records (namespaces that store none) are found too: the API hides them. */
  get(namespace: string, activationId: string): Promise<ActivationRecord | undefined>
  /** Newest `start` first, listed records only. */
  list(query: ActivationQuery & { limit: number }): Promise<ActivationSummary[]>
  /** The whole records, in the order of `list`, read one after the other as they are asked for: each may have megabytes.
   *  Rejects with SLUICE_TOO_LARGE, before the first one, when together they have more than `bytesMax` characters. */
  listFull(query: ActivationQuery & { limit: number; bytesMax: number }): Promise<AsyncIterable<ActivationRecord>>
  /** Matching records minus `skip`, never below 0. */
  count(query: ActivationQuery): Promise<number>
  /** Deletes records that started before, at most `limit`, oldest first; resolves to how many. A trigger's record stays
   *  until each of its runs has a record, and the runs' records stay as long as it does (design.md §3.9). 0 ends a pass:
   *  the next call looks at what was kept again. */
  prune(beforeMs: number, limit: number): Promise<number>
  close(): Promise<void>
}

export type ActivationQuery = {
  namespace: string
  /** `action`, or `pkg/action` (package or binding name): rest-api.md §6.3. */
  name?: string
  /** Epoch milliseconds, inclusive, compared with `start`. */
  sinceMs?: number
  uptoMs?: number
  skip: number
}
