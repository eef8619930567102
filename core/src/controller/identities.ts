import { isSluiceError, type SubjectDocument, type SubjectNamespace } from '../model/index.ts'
import type { ArtifactStore, Clock, KeyRing } from '../spi/index.ts'

/** Subjects and their credentials in the store (rest-api.md §10.1). Keys are kept as keyed hashes (design.md §7). */

export function subjectId(subject: string): string {
  return `subject:${subject}`
}

export function limitsId(namespace: string): string {
  return `limits:${namespace}`
}

export type NewIdentity = {
  readonly subject: string
  readonly namespace: string
  readonly uuid: string
  readonly key: string
}

/** Sees to it that the subject has this namespace with this credential; writes nothing when it has. Another key of the
 *  same uuid is replaced, other credentials of the namespace stay. Resolves to whether anything was written. */
export async function ensureIdentity(
  deps: { artifacts: ArtifactStore; keyRing: KeyRing; clock: Clock },
  identity: NewIdentity,
): Promise<boolean> {
  const { artifacts, keyRing, clock } = deps
  const id = subjectId(identity.subject)
  for (;;) {
    const stored = await artifacts.get(id)
    const subject = stored?.document as SubjectDocument | undefined
    const others = subject?.namespaces ?? []
    const own = others.find(entry => entry.name === identity.namespace && entry.uuid === identity.uuid)
    if (own !== undefined && holds(own, identity.key, keyRing)) return false
    const entry = { name: identity.namespace, uuid: identity.uuid, keyHash: keyRing.hash(identity.key) }
    const document: SubjectDocument = {
      entityType: 'subject',
      namespace: identity.subject,
      subject: identity.subject,
      blocked: subject?.blocked ?? false,
      updated: clock.nowMs(),
      namespaces: own === undefined ? [...others, entry] : others.map(other => (other === own ? entry : other)),
    }
    try {
      await artifacts.put(id, document, stored?.revision)
      return true
    } catch (error) {
      // Another process wrote the subject: look again at what it made of it.
      if (!isSluiceError(error, 'SLUICE_CONFLICT')) throw error
    }
  }
}

function holds(entry: SubjectNamespace, key: string, keyRing: KeyRing): boolean {
  if (entry.keyHash !== undefined) return keyRing.matches(key, entry.keyHash)
  return entry.key === key
}
