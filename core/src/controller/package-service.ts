import {
  ApiError,
  bounds,
  firstVersion,
  messages,
  nextVersion,
  valueOf,
  type Annotations,
  type Identity,
  type Parameters,
  type WhiskAction,
  type WhiskPackage,
} from '../model/index.ts'
import type { ArtifactStore } from '../spi/index.ts'
import type { ActionService } from './action-service.ts'
import { bindingId, readablePackage } from './entitlement.ts'
import type { CommonFields, EntityBody } from './entity-body.ts'
import { isWhole } from './entity-documents.ts'
import type { EntityStore } from './entity-store.ts'
import { mergeParameters } from './payload.ts'

/** Packages and bindings (rest-api.md §8). */
export interface PackageService {
  put(request: PutPackage): Promise<WhiskPackage>
  /** With merged parameters and the contents of what the caller may read. */
  get(identity: Identity, id: string): Promise<PackageContents>
  delete(id: string, force: boolean): Promise<WhiskPackage>
  /** Throws as an action in the package would: 403, 404, 409, 422. `id` of the result is the provider's for a binding. */
  readable(identity: Identity, id: string): Promise<{ id: string; parameters: Parameters; isBinding: boolean }>
  /** Throws 404 and 409, and 400 for a binding: nothing is written through one. */
  requireWritable(id: string): Promise<void>
}

export type PutPackage = {
  readonly identity: Identity
  readonly namespace: string
  readonly name: string
  readonly overwrite: boolean
  readonly body: EntityBody
  readonly common: CommonFields
  /** Absent: not given; `{}`: not a binding. */
  readonly binding?: WhiskPackage['binding']
}

export type PackageContents = {
  readonly package: WhiskPackage
  readonly parameters: Parameters
  readonly actions: readonly WhiskAction[]
  readonly feeds: readonly WhiskAction[]
}

export function createPackageService(deps: {
  artifacts: ArtifactStore
  entities: EntityStore
  actions: ActionService
}): PackageService {
  const { artifacts, entities, actions } = deps
  const load = (id: string) => entities.find(id)

  /** What a new binding leads to, in the words of bindings. Resolves to whether the target is a binding itself. */
  async function checkTarget(identity: Identity, target: string): Promise<boolean> {
    try {
      return (await readablePackage(load, identity, target)).provider !== undefined
    } catch (error) {
      if (!(error instanceof ApiError)) throw error
      if (error.status === 404) throw new ApiError(400, 'Binding references a package that does not exist.')
      if (error.status === 409) throw new ApiError(409, 'Cannot bind to a resource that is not a package.')
      throw error
    }
  }

  async function contentsOf(id: string): Promise<WhiskAction[]> {
    const slash = id.indexOf('/')
    const stored = await artifacts.list({
      namespace: id.slice(0, slash),
      packageName: id.slice(slash + 1),
      kind: 'action',
      skip: 0,
      limit: bounds.api.packageActionsMax,
    })
    return stored.filter(({ document }) => isWhole(document)).map(({ document }) => document as unknown as WhiskAction)
  }

  return {
    async put(request) {
      const { identity, namespace, name, body, common, binding } = request
      const id = `${namespace}/${name}`
      const target = binding?.name === undefined ? undefined : `${binding.namespace}/${binding.name}`
      const leadsToBinding = target !== undefined && (await checkTarget(identity, target))
      const make = (existing: WhiskPackage | undefined): WhiskPackage => {
        if (existing !== undefined && target !== undefined && bindingId(existing) === undefined) {
          throw new ApiError(409, 'Resource is a package and cannot be converted into a binding.')
        }
        if (leadsToBinding) throw new ApiError(400, 'Cannot bind to another package binding.')
        const effective = target === undefined ? (existing?.binding ?? {}) : (binding ?? {})
        return {
          entityType: 'package',
          namespace,
          name,
          version: common.version ?? (existing === undefined ? firstVersion : nextVersion(existing.version)),
          publish: common.publish ?? existing?.publish ?? false,
          updated: entities.stampMs(),
          annotations: annotationsOf(body.annotations ?? existing?.annotations ?? [], effective),
          parameters: body.parameters ?? existing?.parameters ?? [],
          binding: effective,
        }
      }
      return entities.put<WhiskPackage>(id, 'package', request.overwrite, make)
    },

    async get(identity, id) {
      const access = await readablePackage(load, identity, id, messages.missingNamed(id))
      const contents = await contentsOf(access.provider?.id ?? id)
      const isFeed = (action: WhiskAction) => valueOf(action.annotations, 'feed') !== undefined
      return {
        package: access.package,
        parameters: mergeParameters([
          ...(access.provider ? [access.provider.package.parameters] : []),
          access.package.parameters,
        ]),
        actions: contents.filter(action => !isFeed(action)),
        feeds: contents.filter(isFeed),
      }
    },

    async delete(id, force) {
      return entities.delete<WhiskPackage>(id, 'package', async found => {
        if (bindingId(found) !== undefined) return
        const contents = await contentsOf(id)
        if (contents.length > 0 && !force) {
          const number = contents.length === 1 ? '1 entity' : `${contents.length} entities`
          throw new ApiError(409, `Package not empty (contains ${number}). Set force param or delete package contents.`)
        }
        for (const action of contents) {
          await actions.delete(`${id}/${action.name}`).catch((error: unknown) => {
            if (!(error instanceof ApiError && error.status === 404)) throw error
          })
        }
      })
    },

    async readable(identity, id) {
      const { package: found, provider } = await readablePackage(load, identity, id)
      if (provider === undefined) return { id, parameters: found.parameters, isBinding: false }
      const parameters = mergeParameters([provider.package.parameters, found.parameters])
      return { id: provider.id, parameters, isBinding: true }
    },

    async requireWritable(id) {
      const { entity } = await entities.get<WhiskPackage>(id, 'package')
      if (bindingId(entity) !== undefined) throw new ApiError(400, messages.bindingWrite)
    },
  }
}

/** The annotation `binding` is the server's. */
function annotationsOf(given: Annotations, binding: WhiskPackage['binding']): Annotations {
  const others = given.filter(({ key }) => key !== 'binding')
  const { namespace, name } = binding
  return name === undefined ? others : [...others, { key: 'binding', value: { namespace, name } }]
}
