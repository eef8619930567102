import { bounds, SluiceError } from '../../model/index.ts'
import type { Writer } from './batch.ts'
import type { Database } from './database.ts'
import type { Document } from './envelope.ts'

/**
 * Documents that are changed by comparing revisions. Epoch and sequence of the last write are the revision: they never
 * come twice, so that a revision does not fit a document that was deleted and created again.
 */
export function revisionOf({ epoch, sequence }: Document): string {
  return `${epoch}-${sequence}`
}

export type Change = {
  /** The revision that was read; none to create, `any` for whatever is there. */
  revision?: string
  /** Further writes that belong to this one, given what was there before. */
  also?: (writer: Writer, before: Document | undefined) => void
  committed?: () => void
}

/**
 * Stores the JSON text if the revision is still the current one; resolves to the new document once it is durable. Two
 * writes with one revision cannot both win: the second one meets the first even while that is under way. Rejects with
 * SLUICE_CONFLICT (not before a reader would see why), SLUICE_TOO_LARGE.
 */
export async function putDocument(database: Database, key: string, text: string, change: Change): Promise<Document> {
  if (text.length > bounds.store.documentBytesMax) {
    throw new SluiceError('SLUICE_TOO_LARGE', `The document is larger than ${bounds.store.documentBytesMax} bytes.`)
  }
  const { revision, also, committed } = change
  const before = latest(database, key)
  if (revision !== 'any' && revision !== (before && revisionOf(before))) await conflict(database, key)
  let document: Document | undefined
  await database.commits.write(writer => {
    document = writer.putTracked(key, text)
    also?.(writer, before)
  }, committed)
  return document as Document
}

/** Deletes the document; resolves to whether there was one. Rejects with SLUICE_CONFLICT like `putDocument`. */
export async function deleteDocument(database: Database, key: string, change: Change): Promise<boolean> {
  const { revision = 'any', also, committed } = change
  const before = latest(database, key)
  if (!before) {
    await database.commits.underWay(key)?.durable
    return false
  }
  if (revision !== 'any' && revision !== revisionOf(before)) await conflict(database, key)
  await database.commits.write(writer => {
    writer.delTracked(key)
    also?.(writer, before)
  }, committed)
  return true
}

function latest(database: Database, key: string): Document | undefined {
  const early = database.commits.underWay(key)
  return early ? early.document : database.getSync(key)
}

async function conflict(database: Database, key: string): Promise<never> {
  await database.commits.underWay(key)?.durable
  throw new SluiceError('SLUICE_CONFLICT', 'The document was changed by somebody else since it was read.')
}
