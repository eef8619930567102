import type { EntityKind } from '../model/index.ts'

/**
 * Keeps entities (actions, packages, triggers, rules, identities, namespace limits) as revisioned documents.
 * Lists are named queries, so that no backend's view language leaks out (design.md §4, reliability.md §6.3).
 * An id is `<namespace>/<name>` or `<namespace>/<package>/<name>`: the four entity kinds share one key space
 * (rest-api.md §3.1). Identities have the id `subject:<subject>`, namespace limits `limits:<namespace>`.
 */
export interface ArtifactStore {
  get(id: string): Promise<Stored | undefined>
  /** Give the `revision` you read, or none to create. Rejects with SLUICE_CONFLICT when it is stale, or when a
   *  document is there and none was given. Resolves once the write is durable. */
  put(id: string, document: StoredDocument, revision?: string): Promise<Stored>
  /** Rejects with SLUICE_CONFLICT when the revision is stale, with SLUICE_NOT_FOUND when the document is gone. */
  delete(id: string, revision: string): Promise<void>
  /** Newest `updated` first; an entity in a package belongs to its namespace's lists too. */
  list(query: ListQuery): Promise<Stored[]>
  /** Matching documents minus `skip`, never below 0. */
  count(query: Omit<ListQuery, 'limit'>): Promise<number>
  /** The document of the subject that holds this uuid. */
  identityByUuid(uuid: string): Promise<Stored | undefined>
  /** The documents of every subject that holds this namespace. */
  identitiesOfNamespace(namespace: string): Promise<Stored[]>
  /** Tells of every write and delete, by any process, soon after it is durable (at most 60 s). Returns how to stop. */
  watch(onChange: (change: { id: string; kind: EntityKind }) => void): () => void
  close(): Promise<void>
}

/** What is stored: the kind decides the lists, `updated` (epoch milliseconds) their order. */
export type StoredDocument = {
  readonly entityType: EntityKind
  /** `ns` or `ns/pkg`. */
  readonly namespace: string
  readonly updated: number
  readonly [field: string]: unknown
}

export type Stored = { readonly id: string; readonly revision: string; readonly document: StoredDocument }

export type ListQuery = {
  /** The root namespace, e.g. `guest`. */
  namespace: string
  kind: EntityKind
  /** Only the entities in this package of the namespace. */
  packageName?: string
  /** Only packages that are shared (`publish`) and are not bindings. */
  publicOnly?: boolean
  skip: number
  /** 0 gives nothing; the API's "0 means 200" is the caller's rule. */
  limit: number
}
