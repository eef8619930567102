import { SluiceError, filterName, summaryOf, type ActivationRecord } from '../../model/index.ts'
import type {
  ActivationStore,
  ArtifactStore,
  AttachmentStore,
  ListQuery,
  Stored,
  StoredDocument,
} from '../../spi/index.ts'

/** Stores on maps: as little as the controller's tests need. */

export function mapArtifacts(): ArtifactStore {
  const documents = new Map<string, Stored>()
  const watchers = new Set<Parameters<ArtifactStore['watch']>[0]>()
  let revisions = 0
  const tell = (id: string, document: StoredDocument) => {
    for (const watcher of watchers) watcher({ id, kind: document.entityType })
  }
  const matching = ({ namespace, kind, packageName, publicOnly, skip }: Omit<ListQuery, 'limit'>) =>
    [...documents.values()]
      .filter(({ document }) => {
        const path = document.namespace
        const inPlace =
          packageName === undefined ? path.split('/')[0] === namespace : path === `${namespace}/${packageName}`
        const shown = !publicOnly || (document['publish'] === true && !(document['binding'] as { name?: string }).name)
        return document.entityType === kind && inPlace && shown
      })
      .sort((a, b) => b.document.updated - a.document.updated)
      .slice(skip)
  const conflict = () => new SluiceError('SLUICE_CONFLICT', 'changed by somebody else')
  return {
    get: async id => documents.get(id),
    async put(id, document, revision) {
      if (documents.get(id)?.revision !== revision) throw conflict()
      const stored = { id, revision: String(++revisions), document: structuredClone(document) }
      documents.set(id, stored)
      tell(id, document)
      return stored
    },
    async delete(id, revision) {
      const stored = documents.get(id)
      if (stored === undefined) throw new SluiceError('SLUICE_NOT_FOUND', 'gone')
      if (stored.revision !== revision) throw conflict()
      documents.delete(id)
      tell(id, stored.document)
    },
    list: async query => matching(query).slice(0, query.limit),
    count: async query => matching(query).length,
    identityByUuid: async uuid =>
      [...documents.values()].find(({ document }) =>
        (document['namespaces'] as { uuid: string }[] | undefined)?.some(entry => entry.uuid === uuid),
      ),
    identitiesOfNamespace: async () => [],
    watch(onChange) {
      watchers.add(onChange)
      return () => void watchers.delete(onChange)
    },
    close: async () => {},
  }
}

export function mapAttachments(): AttachmentStore & { readonly size: number } {
  const kept = new Map<string, Map<string, Uint8Array>>()
  return {
    get size() {
      return [...kept.values()].reduce((sum, entries) => sum + entries.size, 0)
    },
    async put(id, name, body) {
      kept.set(id, (kept.get(id) ?? new Map<string, Uint8Array>()).set(name, body))
    },
    get: async (id, name) => kept.get(id)?.get(name),
    async delete(id, keep) {
      for (const name of [...(kept.get(id)?.keys() ?? [])]) if (name !== keep) kept.get(id)?.delete(name)
    },
    close: async () => {},
  }
}

export function mapActivations(): ActivationStore {
  const records: ActivationRecord[] = []
  const matching = ({
    namespace,
    name,
    sinceMs = -Infinity,
    uptoMs = Infinity,
    skip,
  }: Parameters<ActivationStore['count']>[0]) =>
    records
      .filter(record => record.namespace === namespace && record.start >= sinceMs && record.start <= uptoMs)
      .filter(record => name === undefined || filterName(record) === name)
      .filter(record => record.sluice?.unlisted !== true)
      .sort((a, b) => b.start - a.start)
      .slice(skip)
  return {
    async insert(record) {
      records.push(record)
      return 'inserted'
    },
    async insertMany(many) {
      records.push(...many)
      return many.map(() => 'inserted')
    },
    get: async (namespace, id) => records.find(record => record.namespace === namespace && record.activationId === id),
    list: async query => matching(query).slice(0, query.limit).map(summaryOf),
    listFull: async query => matching(query).slice(0, query.limit),
    count: async query => matching(query).length,
    prune: async () => 0,
    close: async () => {},
  }
}
