import type { ArtifactStore, Clock, KeyRing, StoredDocument } from '@sluice/core/spi'
import {
  bounds,
  isSluiceError,
  stringifyJson,
  type Annotations,
  type Parameters,
  type WhiskAction,
  type WhiskPackage,
} from '@sluice/core/model'
import { lockScheme } from '@sluice/core/controller'

/** Installs the packages of `whisk.system` straight into the store: they are part of the hub, not of a user. */
export type SystemPackage = {
  readonly name: string
  readonly parameters: Parameters
  /** Parameters whose value is locked: readable by the package's actions when they run, by nobody else. */
  readonly secrets: Readonly<Record<string, string>>
  readonly annotations: Annotations
  readonly actions: readonly SystemAction[]
}
export type SystemAction = {
  readonly name: string
  readonly code: string
  readonly kind: string
  readonly parameters: Parameters
  readonly annotations: Annotations
}

const namespace = 'whisk.system'
type Deps = { artifacts: ArtifactStore; keyRing: KeyRing; clock: Clock }

/** Writes what is missing or differs; an installation that is up to date writes nothing. */
export async function installSystemPackage(deps: Deps, definition: SystemPackage): Promise<void> {
  const id = `${namespace}/${definition.name}`
  const plain = { name: definition.name, publish: true, annotations: definition.annotations, namespace, binding: {} }
  await upsert(deps, id, 'package', stored => ({
    ...plain,
    parameters: [...definition.parameters, ...locked(deps, id, definition.secrets, stored as WhiskPackage | undefined)],
  }))
  for (const action of definition.actions) {
    await upsert(deps, `${id}/${action.name}`, 'action', () => ({
      namespace: id,
      name: action.name,
      publish: false,
      annotations: [
        ...action.annotations,
        { key: 'exec', value: action.kind },
        { key: 'provide-api-key', value: false },
      ],
      parameters: action.parameters,
      exec: { kind: action.kind, code: action.code, binary: false },
      limits: {
        timeout: bounds.actionLimits.timeoutMsDefault,
        memory: bounds.actionLimits.memoryMbDefault,
        logs: bounds.actionLimits.logsMbDefault,
        concurrency: 1,
      } satisfies WhiskAction['limits'],
    }))
  }
}

/** Keeps a stored ciphertext that still opens to the same value, so that a start does not change the package. */
function locked(
  { keyRing }: Deps,
  id: string,
  secrets: Readonly<Record<string, string>>,
  stored: WhiskPackage | undefined,
): Parameters {
  return Object.entries(secrets).map(([key, value]) => {
    const bind = `parameter:${id}:${key}`
    const plain = stringifyJson(value)
    const before = stored?.parameters.find(parameter => parameter.key === key)
    if (before && typeof before.value === 'string' && opens(keyRing, before.value, bind, plain)) return before
    return { key, value: keyRing.encrypt(plain, bind), encryption: `${lockScheme}${id}` }
  })
}

function opens(keyRing: KeyRing, text: string, bind: string, plain: string): boolean {
  try {
    return keyRing.decrypt(text, bind) === plain
  } catch {
    return false
  }
}

async function upsert(
  deps: Deps,
  id: string,
  entityType: 'package' | 'action',
  make: (stored: unknown) => object,
): Promise<void> {
  const { artifacts, clock } = deps
  for (;;) {
    const stored = await artifacts.get(id)
    const wanted = { ...make(stored?.document), entityType }
    if (stored && same(stored.document, wanted)) return
    const version = stored ? nextVersion(String(stored.document.version)) : '0.0.1'
    try {
      await artifacts.put(
        id,
        { ...wanted, version, updated: clock.nowMs() } as unknown as StoredDocument,
        stored?.revision,
      )
      return
    } catch (error) {
      if (!isSluiceError(error, 'SLUICE_CONFLICT')) throw error
    }
  }
}

function same(stored: StoredDocument, wanted: object): boolean {
  return Object.entries(wanted).every(([field, value]) => stringifyJson(stored[field]) === stringifyJson(value))
}

function nextVersion(version: string): string {
  const [major, minor, patch] = version.split('.').map(Number)
  return `${major ?? 0}.${minor ?? 0}.${(patch ?? 0) + 1}`
}
