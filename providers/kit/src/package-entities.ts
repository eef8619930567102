import type { Annotations, Parameter, WhiskAction, WhiskPackage } from '@sluice/core/model'
import type { KeyRing } from '@sluice/core/spi'
import { commonParameters } from './common-parameters.ts'
import { feedActionSource } from './feed-action.ts'
import type { Feed, ProviderDefinition } from './feed.ts'

/** A document as it is to lie in the store, under its id. */
export type InstalledEntity = { readonly id: string; readonly document: WhiskPackage | WhiskAction }

export type PackageOptions = {
  definition: ProviderDefinition
  /** `whisk.system`, or a tenant's namespace. */
  namespace: string
  description: string
  /** Bound to the package, for everybody to read. */
  parameters: readonly Parameter[]
  /** Parameters of single feed actions, by feed name. */
  actionParameters?: Readonly<Record<string, readonly Parameter[]>>
  keyRing: KeyRing
  token: string
  /** Where the actions find the provider; without it, at the API host under `/providers/<name>`. */
  endpoint?: string
  nowMs: number
}

/** Beyond the 45 s in which a lifecycle call ends, within the 60 s that a client waits (feeds.md §2.7). */
const actionTimeoutMs = 50_000

/**
 * The shared package of a provider with its feed actions (feeds.md §2.7). The token is an encrypted parameter: everybody
 * may read the package, only the invoker can open it, and only for this package.
 */
export function packageEntities(options: PackageOptions): InstalledEntity[] {
  const { definition, namespace, nowMs, endpoint } = options
  const packageId = `${namespace}/${definition.name}`
  const base = { version: '0.0.1', updated: nowMs }
  const parameters = [
    ...options.parameters,
    ...(endpoint === undefined ? [] : [{ key: 'sluiceEndpoint', value: endpoint }]),
    lockedParameter(options.keyRing, packageId, 'sluiceToken', options.token),
  ]
  const shared: InstalledEntity = {
    id: packageId,
    document: {
      ...base,
      entityType: 'package',
      namespace,
      name: definition.name,
      publish: true,
      annotations: [
        { key: 'description', value: options.description },
        { key: 'parameters', value: options.parameters.map(({ key }) => ({ name: key, required: false })) },
      ],
      parameters,
      binding: {},
    },
  }
  const actions = definition.feeds.map((feed): InstalledEntity => ({
    id: `${packageId}/${feed.name}`,
    document: {
      ...base,
      entityType: 'action',
      namespace: packageId,
      name: feed.name,
      publish: false,
      annotations: annotationsOf(feed),
      parameters: options.actionParameters?.[feed.name] ?? [],
      exec: {
        kind: 'nodejs:20',
        binary: false,
        code: feedActionSource({ provider: definition.name, errorShape: definition.errorShape }),
      },
      limits: { timeout: actionTimeoutMs, memory: 256, logs: 10, concurrency: 1 },
    },
  }))
  return [shared, ...actions]
}

function annotationsOf(feed: Feed): Annotations {
  const described = [...feed.parameters, ...commonParameters].map(({ name, type, description, ...more }) => ({
    name,
    type: more.secret ? 'password' : type,
    required: more.required ?? false,
    updatable: more.updatable ?? false,
    description,
    ...(more.default === undefined ? {} : { default: more.default }),
  }))
  return [
    { key: 'feed', value: true },
    { key: 'provide-api-key', value: false },
    { key: 'description', value: feed.description },
    { key: 'parameters', value: described },
    { key: 'exec', value: 'nodejs:20' },
  ]
}

/** A parameter whose value only the invoker can read: the scheme names the document that it is bound to. */
export function lockedParameter(keyRing: KeyRing, documentId: string, key: string, value: unknown): Parameter {
  const sealed = keyRing.encrypt(JSON.stringify(value), `parameter:${documentId}:${key}`)
  return { key, value: sealed, encryption: `sluice-1:${documentId}` }
}

/** Whether installing `wanted` over `stored` would change anything but times, versions and the seal of a secret. */
export function isInstalled(keyRing: KeyRing, stored: unknown, wanted: InstalledEntity): boolean {
  const plain = (value: unknown) => JSON.stringify(sorted(value), openSeals)
  const openSeals = function (this: unknown, name: string, value: unknown): unknown {
    if (name === 'updated' || name === 'version') return undefined
    const { key, encryption } = (this ?? {}) as { key?: unknown; encryption?: unknown }
    if (name !== 'value' || typeof encryption !== 'string' || typeof value !== 'string') return value
    try {
      return keyRing.decrypt(value, `parameter:${encryption.slice('sluice-1:'.length)}:${String(key)}`)
    } catch {
      return null
    }
  }
  return plain(stored) === plain(wanted.document)
}

/** The same value with the keys of every object in order. */
function sorted(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(sorted)
  if (value === null || typeof value !== 'object') return value
  return Object.fromEntries(
    Object.entries(value)
      .sort(([a], [b]) => (a < b ? -1 : 1))
      .map(([key, entry]) => [key, sorted(entry)]),
  )
}
