import type { QualifiedName } from './names.ts'

/** The documents that OpenWhisk's API reads and writes (rest-api.md §3-§8, §10). */

export type EntityKind = 'action' | 'package' | 'trigger' | 'rule' | 'subject' | 'limits'

export type Annotation = { readonly key: string; readonly value: unknown }
export type Annotations = readonly Annotation[]

/** `init` parameters go to `/init` as environment; `encryption` names the scheme of an encrypted `value`. */
export type Parameter = {
  readonly key: string
  readonly value: unknown
  readonly init?: boolean
  readonly encryption?: string
}
export type Parameters = readonly Parameter[]

/** Fields that all four entities have (rest-api.md §3.2). `updated` is epoch milliseconds. */
export type EntityBase = {
  readonly namespace: string
  readonly name: string
  readonly version: string
  readonly publish: boolean
  readonly updated: number
  readonly annotations: Annotations
}

export type CodeExec = {
  readonly kind: string
  readonly binary: boolean
  readonly code?: string
  /** Set instead of `code` when the code is kept as an attachment of this name. */
  readonly attachment?: { readonly name: string; readonly bytes: number }
  readonly main?: string
  readonly image?: string
}
export type SequenceExec = { readonly kind: 'sequence'; readonly components: readonly string[] }
export type Exec = CodeExec | SequenceExec

export type ActionLimits = {
  readonly timeout: number
  readonly memory: number
  readonly logs: number
  readonly concurrency: number
  readonly instances?: number
}

export type WhiskAction = EntityBase & {
  readonly entityType: 'action'
  readonly exec: Exec
  readonly parameters: Parameters
  readonly limits: ActionLimits
}

export type WhiskPackage = EntityBase & {
  readonly entityType: 'package'
  readonly parameters: Parameters
  /** Empty for a package, the provider for a binding. */
  readonly binding: { readonly namespace?: string; readonly name?: string }
}

export type RuleStatus = 'active' | 'inactive'

export type RuleLink = {
  readonly action: QualifiedName
  readonly status: RuleStatus
  readonly annotations?: Annotations
}

export type WhiskTrigger = EntityBase & {
  readonly entityType: 'trigger'
  readonly parameters: Parameters
  readonly limits: Readonly<Record<string, never>>
  /** By `ns/rule`; absent until a rule was linked. */
  readonly rules?: Readonly<Record<string, RuleLink>>
}

export type WhiskRule = EntityBase & {
  readonly entityType: 'rule'
  readonly trigger: QualifiedName
  readonly action: QualifiedName
}

export type WhiskEntity = WhiskAction | WhiskPackage | WhiskTrigger | WhiskRule

/** A subject and the namespaces it may use, each with its own credential (rest-api.md §10.1). */
export type SubjectDocument = {
  readonly entityType: 'subject'
  readonly namespace: string
  readonly updated: number
  readonly subject: string
  readonly blocked: boolean
  readonly namespaces: readonly SubjectNamespace[]
}

/** `keyHash` is a keyed hash; `key` in clear exists only in databases opened from OpenWhisk (design.md §7). */
export type SubjectNamespace = {
  readonly name: string
  readonly uuid: string
  readonly keyHash?: string
  readonly key?: string
}

/** Overrides for one namespace (rest-api.md §9.2). */
export type NamespaceLimits = {
  readonly invocationsPerMinute?: number
  readonly concurrentInvocations?: number
  readonly firesPerMinute?: number
  readonly allowedKinds?: readonly string[]
  readonly storeActivations?: boolean
  readonly minActionMemory?: number
  readonly maxActionMemory?: number
  readonly minActionLogs?: number
  readonly maxActionLogs?: number
  readonly minActionTimeout?: number
  readonly maxActionTimeout?: number
  readonly minActionConcurrency?: number
  readonly maxActionConcurrency?: number
  readonly maxParameterSize?: string
  readonly maxPayloadSize?: string
  readonly truncationSize?: string
  readonly warmedContainerKeepingCount?: number
  readonly warmedContainerKeepingTimeout?: string
}

export type LimitsDocument = NamespaceLimits & {
  readonly entityType: 'limits'
  readonly namespace: string
  readonly updated: number
}

/** Who calls, without any secret: this may travel on the bus and lie in records. */
export type Identity = {
  readonly subject: string
  readonly namespace: { readonly name: string; readonly uuid: string }
  readonly limits: NamespaceLimits
}

/** The value of an annotation or parameter by key; the last one wins. */
export function valueOf(list: readonly { key: string; value: unknown }[], key: string): unknown {
  return list.findLast(entry => entry.key === key)?.value
}

/** OpenWhisk's truth: booleans as they are, 0, '' and null false, objects and arrays true (rest-api.md §5.6). */
export function isTruthy(value: unknown): boolean {
  return typeof value === 'object' ? value !== null : Boolean(value)
}
