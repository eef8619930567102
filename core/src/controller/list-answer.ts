import type { EntityKind, WhiskEntity } from '../model/index.ts'
import type { ArtifactStore, ListQuery } from '../spi/index.ts'
import { ok, type Answer } from './answers.ts'
import type { Call } from './call.ts'
import { isWhole } from './entity-documents.ts'

/** A list of entities, or their number (rest-api.md §3.5). Damaged documents are left out: one of them must not hide the
 *  others. */
export async function listAnswer<T extends WhiskEntity>(
  artifacts: ArtifactStore,
  call: Call,
  kind: EntityKind,
  where: Omit<ListQuery, 'kind' | 'skip' | 'limit'>,
  summary: (entity: T) => unknown,
): Promise<Answer> {
  const collection = `${kind}s`
  const skip = call.query.skip(collection)
  const limit = call.query.limit(collection)
  if (call.query.boolean('count')) return ok({ [collection]: await artifacts.count({ ...where, kind, skip }) })
  const stored = await artifacts.list({ ...where, kind, skip, limit })
  return ok(stored.filter(({ document }) => isWhole(document)).map(({ document }) => summary(document as unknown as T)))
}
