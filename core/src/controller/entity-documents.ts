import { ApiError, messages, type EntityKind, type WhiskEntity } from '../model/index.ts'
import type { Stored, StoredDocument } from '../spi/index.ts'

/** Entities as they lie in the store: one key space for all kinds (rest-api.md §3.1). */

/** The entity, when the document is of this kind. Throws 409 for another kind, 500 for a document that is damaged. */
export function entityOf<T extends WhiskEntity>(stored: Stored, kind: T['entityType'] & EntityKind): T {
  if (stored.document.entityType !== kind) {
    if (!Object.hasOwn(requiredFields, stored.document.entityType)) throw corrupted()
    throw new ApiError(409, messages.wrongCollection)
  }
  if (!isWhole(stored.document)) throw corrupted()
  return stored.document as unknown as T
}

/** An entity as the store takes it. */
export function documentOf(entity: WhiskEntity): StoredDocument {
  return entity
}

function corrupted(): ApiError {
  return new ApiError(500, messages.corrupted)
}

type FieldType = 'string' | 'object' | 'array'

const baseFields: Readonly<Record<string, FieldType>> = { name: 'string', version: 'string', annotations: 'array' }
const requiredFields: Readonly<Record<string, Readonly<Record<string, FieldType>>>> = {
  action: { ...baseFields, exec: 'object', limits: 'object', parameters: 'array' },
  package: { ...baseFields, binding: 'object', parameters: 'array' },
  trigger: { ...baseFields, parameters: 'array' },
  rule: { ...baseFields, trigger: 'object', action: 'object' },
}

/** Whether the fields that reading relies on are there: documents may have been damaged or written past the API. */
export function isWhole(document: StoredDocument): boolean {
  return Object.entries(requiredFields[document.entityType] ?? {}).every(([field, type]) => {
    const value = document[field]
    if (type === 'array') return Array.isArray(value)
    return typeof value === type && value !== null && !Array.isArray(value)
  })
}
