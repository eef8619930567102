import { parseJson, SluiceError, stringifyJson, type EntityKind } from '../../model/index.ts'
import type { ArtifactStore, ListQuery, Logger, Stored, StoredDocument } from '../../spi/index.ts'
import { identityPrefix, indexKeysOf, listPrefix, memberPrefix } from './artifact-keys.ts'
import type { Writer } from './batch.ts'
import type { Database } from './database.ts'
import { deleteDocument, putDocument, revisionOf } from './documents.ts'
import type { Document } from './envelope.ts'
import { endOf, keyOf, textOf } from './keys.ts'
import { createWatchers } from './watchers.ts'

export function createArtifacts(database: Database, log: Logger): ArtifactStore {
  const watchers = createWatchers<{ id: string; kind: EntityKind }>(log)

  /** Ids at the ends of the index keys below the prefix. */
  async function idsBelow(prefix: string, skip: number, limit: number): Promise<string[]> {
    const ids: string[] = []
    let left = skip
    for await (const keys of database.keySteps({ gte: prefix, lt: endOf(prefix), limit: skip + limit })) {
      for (const key of keys.slice(left)) ids.push(textOf(key.slice(key.lastIndexOf('!') + 1)))
      left = Math.max(0, left - keys.length)
    }
    return ids
  }

  async function storedOf(ids: readonly string[]): Promise<Stored[]> {
    const documents = await database.getMany(ids.map(documentKey))
    return documents.flatMap((document, at) => (document ? [stored(ids[at] ?? '', document)] : []))
  }

  return {
    async get(id) {
      const document = database.getSync(documentKey(id))
      return document && stored(id, document)
    },
    async put(id, document, revision) {
      const put = await putDocument(database, documentKey(id), stringifyJson(document), {
        revision,
        also(writer, before) {
          removeIndex(writer, id, before)
          for (const key of indexKeysOf(id, document)) writer.mark(key)
        },
        committed: () => watchers.tell({ id, kind: document.entityType }),
      })
      return { id, revision: revisionOf(put), document }
    },
    async delete(id, revision) {
      let kind: EntityKind = 'action'
      const deleted = await deleteDocument(database, documentKey(id), {
        revision,
        also: (writer, before) => (kind = removeIndex(writer, id, before) ?? kind),
        committed: () => watchers.tell({ id, kind }),
      })
      if (!deleted) throw new SluiceError('SLUICE_NOT_FOUND', `The document '${id}' does not exist.`)
    },
    async list(query) {
      const prefix = listPrefix(query)
      if (prefix === undefined || query.limit <= 0) return []
      return storedOf(await idsBelow(prefix, query.skip, query.limit))
    },
    async count(query: Omit<ListQuery, 'limit'>) {
      const prefix = listPrefix(query)
      let count = 0
      if (prefix !== undefined) {
        for await (const keys of database.keySteps({ gte: prefix, lt: endOf(prefix) })) count += keys.length
      }
      return Math.max(0, count - query.skip)
    },
    async identityByUuid(uuid) {
      return (await storedOf(await idsBelow(identityPrefix(uuid), 0, 1)))[0]
    },
    async identitiesOfNamespace(namespace) {
      return storedOf(await idsBelow(memberPrefix(namespace), 0, Infinity))
    },
    watch: onChange => watchers.add(onChange),
    async close() {
      await database.commits.settled()
    },
  }
}

function documentKey(id: string): string {
  return keyOf('artifact', 'document', id)
}

function stored(id: string, document: Document): Stored {
  return { id, revision: revisionOf(document), document: parseJson(document.body) as StoredDocument }
}

function removeIndex(writer: Writer, id: string, before: Document | undefined): EntityKind | undefined {
  if (!before) return undefined
  const document = parseJson(before.body) as StoredDocument
  for (const key of indexKeysOf(id, document)) writer.del(key)
  return document.entityType
}
