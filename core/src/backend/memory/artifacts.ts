import { rootNamespace, SluiceError, type SubjectDocument, type WhiskPackage } from '../../model/index.ts'
import type { ArtifactStore, ListQuery, Stored, StoredDocument } from '../../spi/index.ts'
import { Documents } from './documents.ts'

export function createArtifacts(): ArtifactStore {
  const documents = new Documents<StoredDocument>()

  function stored(id: string): Stored | undefined {
    const found = documents.get(id)
    return found && { id, revision: found.revision, document: found.value }
  }

  function all(): Stored[] {
    return documents.keys().map(id => stored(id) as Stored)
  }

  function subjects(holds: (namespace: SubjectDocument['namespaces'][number]) => boolean): Stored[] {
    return all().filter(({ document }) => {
      return document.entityType === 'subject' && (document as unknown as SubjectDocument).namespaces.some(holds)
    })
  }

  function matching(query: Omit<ListQuery, 'limit'>): Stored[] {
    return all()
      .filter(({ document }) => matches(document, query))
      .sort((a, b) => b.document.updated - a.document.updated)
      .slice(query.skip)
  }

  return {
    get: async id => stored(id),
    async put(id, document, revision) {
      return { id, revision: documents.put(id, document, revision), document }
    },
    async delete(id, revision) {
      if (!documents.delete(id, revision)) {
        throw new SluiceError('SLUICE_NOT_FOUND', `The document '${id}' does not exist.`)
      }
    },
    list: async query => matching(query).slice(0, Math.max(0, query.limit)),
    count: async query => matching(query).length,
    identityByUuid: async uuid => subjects(namespace => namespace.uuid === uuid)[0],
    identitiesOfNamespace: async name => subjects(namespace => namespace.name === name),
    watch: onChange =>
      documents.watch((id, before, after) => {
        const kind = (after ?? before)?.entityType
        if (kind) onChange({ id, kind })
      }),
    close: async () => undefined,
  }
}

function matches(document: StoredDocument, query: Omit<ListQuery, 'skip' | 'limit'>): boolean {
  const { namespace, kind, packageName, publicOnly } = query
  if (document.entityType !== kind) return false
  if (publicOnly && !isPublicPackage(document)) return false
  return packageName === undefined
    ? rootNamespace(document.namespace) === namespace
    : document.namespace === `${namespace}/${packageName}`
}

function isPublicPackage(document: StoredDocument): boolean {
  const { entityType, publish, binding } = document as unknown as WhiskPackage
  return entityType === 'package' && publish && binding?.name === undefined
}
