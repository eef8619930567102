/**
 * Keeps small documents that one owner changes: subscriptions, leases, checkpoints, claims, dead letters, identities of
 * events (design.md §4, §5). Keys are strings ordered by their UTF-8 bytes; values are JSON.
 */
export interface StateStore {
  get(key: string): Promise<StateEntry | undefined>
  /** Compare-and-swap: give the `revision` you read, none to create, or `any` to overwrite whatever is there. Rejects
   *  with SLUICE_CONFLICT. Resolves to the new revision once the write is durable. */
  put(key: string, value: unknown, revision?: string): Promise<string>
  /** One result for each write, in order; not atomic: what must change together is one document. */
  putMany(writes: readonly { key: string; value: unknown; revision?: string }[]): Promise<(string | Error)[]>
  /** Without a revision deletes whatever is there; resolves also when nothing is. Rejects with SLUICE_CONFLICT. */
  delete(key: string, revision?: string): Promise<void>
  /** Ordered by key, from `after` (exclusive) on. */
  scan(query: { prefix: string; after?: string; limit: number; reverse?: boolean }): Promise<StateEntry[]>
  /** Tells of every write and delete below the prefix, soon after it is durable. Returns how to stop. */
  watch(prefix: string, onChange: (change: { key: string; deleted: boolean }) => void): () => void
  close(): Promise<void>
}

export type StateEntry = { readonly key: string; readonly revision: string; readonly value: unknown }
