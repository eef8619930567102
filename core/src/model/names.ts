import { ApiError } from './errors.ts'
import { bounds } from './bounds.ts'

/** Names and paths of entities (rest-api.md §2.2, §2.3). */

declare const brand: unique symbol
/** A checked name: only `parseEntityName` makes one. */
export type EntityName = string & { readonly [brand]: 'EntityName' }
/** 32 lower-case hex digits. */
export type ActivationId = string & { readonly [brand]: 'ActivationId' }

const nameGrammar = /^(\w|\w[\w@ .&-]{0,254}[\w@.&-])$/
const activationIdGrammar = /^[0-9a-f]{32}$/

/** True when the text is a legal entity name or namespace. */
export function isEntityName(text: string): text is EntityName {
  return text.length <= bounds.api.nameLengthMax && nameGrammar.test(text) && !text.endsWith('\n')
}

/** Throws the 400s of rest-api.md §2.3. */
export function parseEntityName(text: string): EntityName {
  if (text.length > bounds.api.nameLengthMax) {
    throw new ApiError(400, `Name segement longer than allowed: ${text.length} > ${bounds.api.nameLengthMax}.`, {
      rejection: true,
    })
  }
  if (!isEntityName(text))
    throw new ApiError(400, 'The name of the entity contains illegal characters.', { rejection: true })
  return text
}

/** Throws the 400s of rest-api.md §2.2. */
export function parseNamespace(text: string): EntityName {
  if (text.length > bounds.api.nameLengthMax) {
    throw new ApiError(400, `Namespace longer than allowed: ${text.length} > ${bounds.api.nameLengthMax}.`, {
      rejection: true,
    })
  }
  if (!isEntityName(text)) throw new ApiError(400, 'The namespace contains illegal characters.', { rejection: true })
  return text
}

export function isActivationId(text: string): text is ActivationId {
  return activationIdGrammar.test(text)
}

/** A name with its place: `path` is `ns` or `ns/pkg`. */
export type QualifiedName = { readonly path: string; readonly name: string }

/** `ns/name` or `ns/pkg/name`: also the id of the entity's document. */
export function qualifiedId(name: QualifiedName): string {
  return `${name.path}/${name.name}`
}

export function rootNamespace(path: string): string {
  const slash = path.indexOf('/')
  return slash < 0 ? path : path.slice(0, slash)
}

/** The package of `ns/pkg`, or nothing for the default package. */
export function packageOf(path: string): string | undefined {
  const slash = path.indexOf('/')
  return slash < 0 ? undefined : path.slice(slash + 1)
}

const unqualified =
  'requirement failed: The fully qualified name of the entity must contain at least the namespace and the name of the entity.'

/**
 * A qualified name in a body: `/ns/name`, `ns/pkg/name`, `{path, name}`; `_` becomes `ownNamespace`.
 * Throws an Error whose message is the detail that follows `The request content was malformed:\n` (rest-api.md §2.3).
 */
export function parseQualifiedName(value: unknown, ownNamespace: string): QualifiedName {
  if (value !== null && typeof value === 'object' && !Array.isArray(value)) {
    const { path, name } = value as { path?: unknown; name?: unknown }
    if (typeof path !== 'string' || typeof name !== 'string') throw new Error('fully qualified name malformed')
    return parseQualifiedName(`${path}/${name}`, ownNamespace)
  }
  if (typeof value !== 'string') throw new Error('fully qualified name malformed')
  const parts: string[] = value.split('/').filter(part => part !== '')
  if (parts.length === 0) throw new Error('requirement failed: path undefined')
  if (parts.some(part => !isEntityName(part))) {
    throw new Error(`requirement failed: path contains invalid parts ArraySeq(${parts.join(', ')})`)
  }
  if (parts.length === 1) throw new Error(unqualified)
  if (parts[0] === '_') parts[0] = ownNamespace
  return { path: parts.slice(0, -1).join('/'), name: parts[parts.length - 1] ?? '' }
}
