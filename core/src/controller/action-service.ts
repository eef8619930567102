import {
  ApiError,
  firstVersion,
  messages,
  nextVersion,
  parseQualifiedName,
  type Annotations,
  type Exec,
  type Identity,
  type Parameters,
  type RuntimesManifest,
  type SystemLimits,
  type WhiskAction,
} from '../model/index.ts'
import { checkLimits, completeLimits, type LimitsBody } from './action-limits.ts'
import type { CodeStore } from './code-store.ts'
import { requireReadable } from './entitlement.ts'
import type { EntityBody, CommonFields } from './entity-body.ts'
import type { EntityStore } from './entity-store.ts'
import { checkSequence } from './sequence-check.ts'

/** Actions as things that are kept (rest-api.md §4). */
export interface ActionService {
  put(request: PutAction): Promise<WhiskAction>
  /** `code` is undefined for sequences and for blackboxes without. */
  get(id: string): Promise<{ action: WhiskAction; code: string | undefined }>
  getWithoutCode(id: string): Promise<WhiskAction>
  delete(id: string): Promise<{ action: WhiskAction; code: string | undefined }>
  /** Throws 400 for a kind that may no longer be created or invoked. */
  requireSupported(kind: string): void
}

export type PutAction = {
  readonly identity: Identity
  /** `ns` or `ns/pkg`. */
  readonly path: string
  readonly name: string
  readonly overwrite: boolean
  readonly body: EntityBody
  readonly common: CommonFields
  readonly limits: LimitsBody
  /** Annotations to remove before the given ones are merged over the stored ones. */
  readonly delAnnotations: readonly string[]
}

export function createActionService(deps: {
  entities: EntityStore
  codes: CodeStore
  manifest: RuntimesManifest
  limits: SystemLimits
}): ActionService {
  const { entities, codes, manifest, limits: system } = deps
  const load = (id: string) => entities.find(id)

  /** Kinds that left the manifest count as deprecated, so that their actions can still be read and deleted. */
  function requireSupported(kind: string): void {
    if (kind === 'sequence' || kind === 'blackbox') return
    const runtime = manifest.kind(kind)
    if (runtime === undefined || runtime.deprecated) throw new ApiError(400, messages.runtimeDeprecated(kind))
  }

  async function checkReferences(identity: Identity, exec: Exec | undefined): Promise<void> {
    if (exec === undefined) return
    if ('components' in exec) {
      const names = exec.components.map(component => parseQualifiedName(component, identity.namespace.name))
      await requireReadable(load, identity, names)
    }
    const allowed = identity.limits.allowedKinds ?? []
    if (allowed.length > 0 && !allowed.includes(exec.kind)) {
      throw new ApiError(403, messages.kindNotAllowed(exec.kind))
    }
  }

  return {
    requireSupported,

    async put(request) {
      const { identity, path, name, body, common } = request
      checkLimits(request.limits, identity.limits, system)
      await checkReferences(identity, body.exec)
      const id = `${path}/${name}`
      const make = async (existing: WhiskAction | undefined): Promise<WhiskAction> => {
        const exec = body.exec ?? existing?.exec
        if (exec === undefined) throw new ApiError(400, messages.execUndefined)
        requireSupported(exec.kind)
        if (body.exec !== undefined && 'components' in body.exec) await checkSequence(load, id, body.exec)
        return {
          entityType: 'action',
          namespace: path,
          name,
          version: common.version ?? (existing === undefined ? firstVersion : nextVersion(existing.version)),
          publish: common.publish ?? existing?.publish ?? false,
          updated: entities.stampMs(),
          annotations: annotationsOf(request, exec, existing),
          exec: body.exec === undefined ? exec : await codes.keep(id, body.exec),
          parameters: parametersOf(body, existing),
          limits: completeLimits(request.limits, existing?.limits, system),
        }
      }
      return entities.put<WhiskAction>(id, 'action', request.overwrite, make, async (written, existing) => {
        if (existing !== undefined && body.exec !== undefined) await codes.tidy(id, written.exec)
      })
    },

    async get(id) {
      const { entity: action } = await entities.get<WhiskAction>(id, 'action')
      return { action, code: await codes.read(id, action.exec) }
    },

    async getWithoutCode(id) {
      return (await entities.get<WhiskAction>(id, 'action')).entity
    },

    async delete(id) {
      let code: string | undefined
      const action = await entities.delete<WhiskAction>(
        id,
        'action',
        async entity => {
          code = await codes.read(id, entity.exec)
        },
        () => codes.tidy(id),
      )
      return { action, code }
    },
  }
}

/** Given ones are merged over the stored ones; `exec` is the server's, `provide-api-key` has a default at creation. */
function annotationsOf(request: PutAction, exec: Exec, existing: WhiskAction | undefined): Annotations {
  const given = request.body.annotations ?? []
  const isSequence = request.body.exec !== undefined && 'components' in request.body.exec
  const removed = isSequence ? [] : request.delAnnotations
  const stored = (existing?.annotations ?? []).filter(({ key }) => !removed.includes(key))
  const merged = new Map([...stored, ...given].map(entry => [entry.key, entry]))
  if (existing === undefined && !merged.has('provide-api-key')) {
    merged.set('provide-api-key', { key: 'provide-api-key', value: false })
  }
  merged.set('exec', { key: 'exec', value: exec.kind })
  return [...merged.values()]
}

/** A sequence's parameters are its components and nothing else (rest-api.md §4.7). */
function parametersOf(body: EntityBody, existing: WhiskAction | undefined): Parameters {
  if (body.exec !== undefined && 'components' in body.exec) return [{ key: '_actions', value: body.exec.components }]
  const wasSequence = existing !== undefined && 'components' in existing.exec
  if (wasSequence && body.exec === undefined) return existing.parameters
  return body.parameters ?? (wasSequence ? [] : (existing?.parameters ?? []))
}
