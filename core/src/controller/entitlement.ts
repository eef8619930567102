import {
  ApiError,
  bounds,
  messages,
  packageOf,
  qualifiedId,
  rootNamespace,
  type Identity,
  type QualifiedName,
  type WhiskPackage,
} from '../model/index.ts'
import type { Stored } from '../spi/index.ts'
import { entityOf } from './entity-documents.ts'

/** Who may do what (rest-api.md §2.4, reliability.md §5.1). An identity owns its namespace and nothing else. */

export function owns(identity: Identity, path: string): boolean {
  return rootNamespace(path) === identity.namespace.name
}

/** Throws 403 unless the namespace is the caller's. Foreign and missing are not told apart. */
export function requireOwner(identity: Identity, namespace: string, resource: string): void {
  if (!owns(identity, namespace)) throw notAuthorized(resource)
}

export function notAuthorized(...resources: string[]): ApiError {
  return new ApiError(403, messages.notAuthorized(resources))
}

/** A package as a caller may use it: for a binding, with the package behind it. */
export type PackageAccess = {
  readonly asked: Stored
  readonly package: WhiskPackage
  /** Set when `asked` is a binding: the provider's document. */
  readonly provider?: { readonly id: string; readonly package: WhiskPackage }
}

export type Load = (id: string) => Stored | undefined | Promise<Stored | undefined>

/**
 * The package `ns/name` for reading, or for invoking what is in it. Others may when it is public and no binding; a
 * binding is its owner's, and what it leads to must be readable by that owner. Throws 403 to others whatever the reason;
 * to the owner 404, 409, 500, 422. `missingText` is the 404's text.
 */
export async function readablePackage(
  load: Load,
  identity: Identity,
  id: string,
  missingText: string = messages.missing,
): Promise<PackageAccess> {
  const asked = await load(id)
  const mine = owns(identity, id)
  if (!mine && !isPublic(asked)) throw notAuthorized(id)
  if (asked === undefined) throw new ApiError(404, missingText)
  const found = entityOf<WhiskPackage>(asked, 'package')
  const target = bindingId(found)
  if (target === undefined) return { asked, package: found }
  const provider = await behindBinding(load, identity, id, target, missingText)
  return { asked, package: found, provider }
}

async function behindBinding(
  load: Load,
  identity: Identity,
  bindingName: string,
  target: string,
  missingText: string,
): Promise<{ id: string; package: WhiskPackage }> {
  let next = target
  for (let depth = 0; depth < bounds.api.bindingDepthMax; depth++) {
    if (next === bindingName) break
    const stored = await load(next)
    if (!owns(identity, next) && !isPublic(stored)) throw notAuthorized(bindingName)
    if (stored === undefined) throw new ApiError(404, missingText)
    const found = entityOf<WhiskPackage>(stored, 'package')
    const further = bindingId(found)
    if (further === undefined) return { id: next, package: found }
    next = further
  }
  throw new ApiError(422, `Package binding '${bindingName}' contains a circular reference.`)
}

function isPublic(stored: Stored | undefined): boolean {
  if (stored === undefined || stored.document.entityType !== 'package') return false
  const { publish, binding } = stored.document as unknown as Partial<WhiskPackage>
  return publish === true && binding?.name === undefined
}

/** `ns/name` of what a package is bound to. */
export function bindingId(found: WhiskPackage): string | undefined {
  const { namespace, name } = found.binding
  return namespace === undefined || name === undefined ? undefined : `${namespace}/${name}`
}

/** READ on entities that a body refers to: the trigger and action of a rule, the components of a sequence. Throws one 403
 *  that names all that failed, else the 404 or 409 of a package in the own namespace. */
export async function requireReadable(load: Load, identity: Identity, names: readonly QualifiedName[]): Promise<void> {
  const denied = new Set<string>()
  let other: ApiError | undefined
  for (const name of names) {
    try {
      const packageName = packageOf(name.path)
      if (packageName === undefined) requireOwner(identity, name.path, qualifiedId(name))
      else if (packageName.includes('/')) throw nestedPackage(identity, name.path)
      else await readablePackage(load, identity, name.path)
    } catch (error) {
      if (!(error instanceof ApiError)) throw error
      if (error.status !== 403) other ??= error
      else denied.add(packageOf(name.path) === undefined ? qualifiedId(name) : name.path)
    }
  }
  if (denied.size > 0) throw notAuthorized(...denied)
  if (other !== undefined) throw other
}

/** More than three segments are well formed but name nothing (rest-api.md §2.3). */
function nestedPackage(identity: Identity, path: string): ApiError {
  return owns(identity, path) ? new ApiError(404, messages.missing) : notAuthorized(path)
}
