import type { CloudEvent } from '@sluice/cloudevents'
import type {
  ActivationRecord,
  Identity,
  Parameters,
  QualifiedName,
  WhiskAction,
  WhiskTrigger,
} from '../model/index.ts'

/** What the routes ask of the parts that run things; the routes know HTTP, these know invokes, fires and settlement. */

/** What resolving a name gives: everything an invoke needs, without the code. Shared and cached: never changed. */
export type ResolvedAction = {
  /** As it was asked for: `ns[/pkg]/name`, where `pkg` may be a binding. */
  readonly name: QualifiedName
  /** `ns[/pkg]/name` of the action's own document (the provider's for bound actions). */
  readonly id: string
  readonly revision: string
  /** The document; `exec.code` is left out. */
  readonly action: WhiskAction
  /** Effective: package, overlaid by binding, overlaid by action (rest-api.md §5.5). */
  readonly parameters: Parameters
  /** `ns/binding` when reached through one. */
  readonly binding?: string
  /** The namespace that owns the action. */
  readonly owner: string
}

export type InvokeCall = {
  readonly identity: Identity
  readonly action: ResolvedAction
  /** JSON text of an object, digits untouched; `{}` for an empty body. */
  readonly payload: string
  /** The payload's own keys; those that `final` forbids were refused already. */
  readonly payloadKeys: readonly string[]
  readonly blocking: boolean
  /** How long a blocking call waits for the record. */
  readonly waitMs: number
  readonly transid: string
  readonly idempotencyKey?: string
  readonly traceparent?: string
  /** `X-OW-EXTRA-LOGGING: on`: store the record whatever the namespace says. */
  readonly extraLogging: boolean
}

export interface InvokeService {
  /** Resolves once the activation is durable; with `record` when the call was blocking and the run ended in time. Decides
   *  by the action's kind how it is run (sequences: rest-api.md §4.7). Rejects with ApiError or SluiceError. */
  invoke(call: InvokeCall): Promise<{ readonly activationId: string; readonly record?: ActivationRecord }>
}

export type FireCall = {
  readonly identity: Identity
  readonly trigger: WhiskTrigger
  /** Text: a checked JSON object. Bytes: the body of a CloudEvents request (`ce-*` headers, or a CloudEvents media type),
   *  whose JSON, if it is any, was checked for depth and size only. */
  readonly payload: string | Buffer
  /** Lower-cased names, as received. */
  readonly headers: Readonly<Record<string, string | string[] | undefined>>
  /** Node's: the only place where a header that was sent twice can be told from a value with a comma. */
  readonly rawHeaders?: readonly string[]
  readonly transid: string
  readonly idempotencyKey?: string
}

/** Events for a namespace, for whatever trigger accepts them (events.md §2, §3.4). */
export type EventsCall = Pick<FireCall, 'identity' | 'headers' | 'transid'> & {
  readonly namespace: string
  readonly events: readonly CloudEvent[]
}

export interface EventService {
  /** How many triggers each event fired. Resolves once all are durable, all or none. Rejects with ApiError: 422 for an
   *  event that was sent before with other content. */
  accept(call: EventsCall): Promise<readonly number[]>
}

export type Explained = {
  readonly rule: string
  /** Only of a rule that does not run because it was switched off, whatever its filter says. */
  readonly status?: 'inactive'
  readonly matched: boolean
  /** The first clause that fails; absent on a match. */
  readonly clause?: unknown
  /** What the action would get. */
  readonly input?: unknown
}

/** What rules would make of an event; nothing runs and nothing is stored (events.md §3.5). */
export interface ExplainService {
  rule(call: Omit<FireCall, 'identity'>, rule: string): Promise<Explained | undefined>
  /** For all rules of the trigger, as a fire that is sent to it: its `accepts` has no part in that. */
  trigger(call: Omit<FireCall, 'identity'>): Promise<readonly Explained[]>
}

export interface FireService {
  /** Resolves once the fire record is durable; to nothing when no rule is active (204). Rejects with ApiError. */
  fire(call: FireCall): Promise<{ readonly activationId: string } | undefined>
}

/** Which fires were accepted although there is no record of their trigger yet. */
export interface KnownFires {
  known(namespace: string, fireId: string): Promise<boolean>
}

export type Settlement = {
  readonly settled: boolean
  readonly runs: readonly { readonly rule: string; readonly activationId: string; readonly status: string }[]
  readonly deadLetters: readonly unknown[]
}

/** What became of a fire (design.md §3.6). */
export interface SettlementService {
  /** Waits up to `waitMs` for the fire to settle, then tells how it stands; nothing when there is no such fire. */
  get(namespace: string, fireId: string, waitMs: number): Promise<Settlement | undefined>
  /** The same for many fires: one entry for each that is known. Waits until all are settled. */
  getMany(namespace: string, fireIds: readonly string[], waitMs: number): Promise<Record<string, Settlement>>
}

/** Runs whose attempts are used up (design.md §3.5). Entries are JSON, newest first. */
export interface DeadLetterService {
  list(namespace: string, query: { readonly skip: number; readonly limit: number }): Promise<readonly unknown[]>
  get(namespace: string, id: string): Promise<unknown>
  /** Resolves to the deleted entry, or to nothing when there is none. */
  delete(namespace: string, id: string): Promise<unknown>
}

/** Brings a name to an action, for routes and for fan-out. */
export interface ActionResolver {
  /** At once when everything is cached. Throws or rejects with the ApiError that the invoke route would answer
   *  (403, 404, 409, …). */
  resolve(identity: Identity, name: QualifiedName): ResolvedAction | Promise<ResolvedAction>
}
