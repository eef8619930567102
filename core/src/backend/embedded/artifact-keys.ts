import { packageOf, rootNamespace, type SubjectDocument, type WhiskPackage } from '../../model/index.ts'
import type { ListQuery, StoredDocument } from '../../spi/index.ts'
import { clampMs, descending, keyOf } from './keys.ts'

/** Keys, without values, under which a document is found in the lists; the id is their last part. */
export function indexKeysOf(id: string, document: StoredDocument): string[] {
  const { entityType, namespace, updated } = document
  const place = `${descending(clampMs(updated))}!${keyOf(id)}`
  const root = rootNamespace(namespace)
  const keys = [keyOf('artifact', 'list', root, entityType, '') + place]
  if (packageOf(namespace) !== undefined) keys.push(keyOf('artifact', 'package', namespace, entityType, '') + place)
  if (isPublicPackage(document)) keys.push(keyOf('artifact', 'public', root, '') + place)
  if (entityType === 'subject') {
    for (const { name, uuid } of (document as unknown as SubjectDocument).namespaces) {
      keys.push(identityPrefix(uuid) + keyOf(id), memberPrefix(name) + keyOf(id))
    }
  }
  return keys
}

/** What all index keys of a list begin with; nothing when no document can match. */
export function listPrefix(query: Omit<ListQuery, 'skip' | 'limit'>): string | undefined {
  const { namespace, kind, packageName, publicOnly } = query
  if (publicOnly) {
    return kind === 'package' && packageName === undefined ? keyOf('artifact', 'public', namespace, '') : undefined
  }
  return packageName === undefined
    ? keyOf('artifact', 'list', namespace, kind, '')
    : keyOf('artifact', 'package', `${namespace}/${packageName}`, kind, '')
}

export function identityPrefix(uuid: string): string {
  return keyOf('artifact', 'uuid', uuid, '')
}

export function memberPrefix(namespace: string): string {
  return keyOf('artifact', 'member', namespace, '')
}

function isPublicPackage(document: StoredDocument): boolean {
  if (document.entityType !== 'package') return false
  const { publish, binding } = document as unknown as WhiskPackage
  return publish && binding?.name === undefined
}
