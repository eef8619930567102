import { LRUCache } from 'lru-cache'
import {
  ApiError,
  bounds,
  messages,
  packageOf,
  qualifiedId,
  type Identity,
  type Parameters,
  type QualifiedName,
  type WhiskAction,
  type WhiskPackage,
} from '../model/index.ts'
import type { Stored } from '../spi/index.ts'
import type { EntityCache } from './entity-cache.ts'
import { bindingId, notAuthorized, owns, readablePackage, requireOwner } from './entitlement.ts'
import { entityOf } from './entity-documents.ts'
import { mergeParameters } from './payload.ts'
import type { ActionResolver, ResolvedAction } from './services.ts'

/** What a resolved action was made of: as long as the cache holds the same documents, it is still true. */
type Known = {
  readonly resolved: ResolvedAction
  readonly sources: readonly Stored[]
  /** Others than the owner may use it: its package is public and no binding. */
  readonly shared: boolean
}

/** Brings names to actions through the cache: at once when all documents are in it. */
export function createActionResolver(deps: { cache: EntityCache }): ActionResolver {
  const { cache } = deps
  const known = new LRUCache<string, Known>({ max: bounds.api.entityCacheMax })

  function isFresh(entry: Known): boolean {
    for (const source of entry.sources) if (cache.peek(source.id) !== source) return false
    return true
  }

  async function load(identity: Identity, name: QualifiedName): Promise<ResolvedAction> {
    const asked = qualifiedId(name)
    const packageName = packageOf(name.path)
    if (packageName === undefined) {
      requireOwner(identity, name.path, asked)
      return remember(asked, name, await actionDocument(asked), [], undefined)
    }
    if (packageName.includes('/')) {
      throw owns(identity, name.path) ? new ApiError(404, messages.missing) : notAuthorized(name.path)
    }
    const access = await readablePackage(id => cache.get(id), identity, name.path)
    if (access.provider === undefined) {
      return remember(asked, name, await actionDocument(asked), [access.asked], undefined)
    }
    const provider = await cache.get(access.provider.id)
    if (provider === undefined) throw new ApiError(404, messages.missing)
    const action = await actionDocument(`${access.provider.id}/${name.name}`)
    return remember(asked, name, action, [provider, access.asked], name.path)
  }

  async function actionDocument(id: string): Promise<Stored> {
    const stored = await cache.get(id)
    if (stored === undefined) throw new ApiError(404, messages.missing)
    return stored
  }

  /** `packages` from the lowest layer of parameters up. */
  function remember(
    asked: string,
    name: QualifiedName,
    stored: Stored,
    packages: readonly Stored[],
    binding: string | undefined,
  ): ResolvedAction {
    const action = entityOf<WhiskAction>(stored, 'action')
    const layers = packages.map(source => entityOf<WhiskPackage>(source, 'package'))
    const parameters: Parameters = mergeParameters([...layers.map(layer => layer.parameters), action.parameters])
    const resolved: ResolvedAction = {
      name,
      id: stored.id,
      revision: stored.revision,
      action,
      parameters,
      ...(binding === undefined ? {} : { binding }),
      owner: stored.id.slice(0, stored.id.indexOf('/')),
    }
    const outer = layers.at(-1)
    const shared = outer !== undefined && outer.publish && bindingId(outer) === undefined
    // What a binding leads to was checked for its owner; a changed provider is another document, so it is checked again.
    known.set(asked, { resolved, sources: [stored, ...packages], shared })
    return resolved
  }

  return {
    resolve(identity, name) {
      const entry = known.get(qualifiedId(name))
      if (entry !== undefined && (entry.shared || owns(identity, name.path)) && isFresh(entry)) return entry.resolved
      return load(identity, name)
    },
  }
}
