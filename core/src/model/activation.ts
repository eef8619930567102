import type { Annotations, Identity } from './entities.ts'

/** Activations: what is asked of an invoker, and what is kept of it (rest-api.md §6, design.md §3). */

export type StatusCode = 0 | 1 | 2 | 3
/** The API's word for each status code. */
export const statusNames = ['success', 'application error', 'action developer error', 'whisk internal error'] as const

export type ActivationResponse = {
  readonly statusCode: StatusCode
  /** An object or array; absent when nothing was recorded. */
  readonly result?: unknown
  /** Length in characters of the runtime's raw answer. */
  readonly size?: number
}

/** A terminal record. Trigger activations have no `end` and no `duration`; times are epoch milliseconds. */
export type ActivationRecord = {
  readonly namespace: string
  readonly name: string
  readonly version: string
  readonly subject: string
  readonly activationId: string
  readonly start: number
  readonly end?: number
  readonly duration?: number
  readonly cause?: string
  readonly response: ActivationResponse
  readonly logs: readonly string[]
  readonly annotations: Annotations
  readonly publish: false
  readonly sluice?: RecordBookkeeping
}

/** What the hub keeps beside a record; never in OpenWhisk's answers. */
export type RecordBookkeeping = {
  /** The namespace stores no activations: kept for settlement, hidden from reads. */
  readonly unlisted?: boolean
  readonly fireId?: string
  readonly rule?: string
  readonly round?: number
  readonly attempt?: number
  readonly deadLettered?: boolean
  /** Of a trigger record: one entry for each rule that matched, in the order of the logs. */
  readonly runs?: readonly { readonly rule: string; readonly activationId?: string; readonly refused?: boolean }[]
}

/** What a list shows (rest-api.md §6.3). */
export type ActivationSummary = Pick<
  ActivationRecord,
  'namespace' | 'name' | 'version' | 'publish' | 'activationId' | 'start' | 'annotations' | 'end' | 'duration' | 'cause'
> & { readonly statusCode?: StatusCode }

/** One run, as it travels from controller to invoker. Names the identity, never a key. */
export type ActivationMessage = {
  readonly activationId: string
  readonly transid: string
  /** `ns[/pkg]/name` of the action's document (the provider's for bound actions) and what it was when it was accepted. */
  readonly action: { readonly id: string; readonly version: string; readonly revision: string }
  /** `ns/binding` when invoked through one. */
  readonly binding?: string
  readonly user: Identity
  readonly blocking: boolean
  /** Merged arguments as JSON text (object or array), digits untouched; init parameters are among them. */
  readonly content: string
  /** Names of the parameters that go to `/init`, and of those whose value is still encrypted, with their binding. */
  readonly initArgs?: readonly string[]
  readonly lockedArgs?: readonly { readonly key: string; readonly bind: string }[]
  readonly acceptedAtMs: number
  readonly cause?: string
  /** Direct invokes run at most once, rule-fired ones at least once (platform.md I2). */
  readonly origin: RunOrigin
  /** Set instead of a large `content`: the payload is in the fire record (design.md §3.2). */
  readonly traceparent?: string
}

export type RunOrigin =
  /** `identified`: the id comes from the sender's own key, so another message may have the same. */
  | { readonly kind: 'direct'; readonly identified?: boolean }
  | { readonly kind: 'rule'; readonly fireId: string; readonly rule: string; readonly round: number }

/** What is kept of a run that may have been sent to a container (design.md §4: claims go to the bus). */
export type Claim = {
  readonly activationId: string
  readonly attempt: number
  readonly claimedAtMs: number
  /** Direct blocking invokes: acceptance and claim together, so the message is in here. */
  readonly message: ActivationMessage
}

/** The path annotation decides the name filter: `pkg/name` for packaged or bound actions (rest-api.md §6.3). */
export function filterName(record: ActivationRecord): string {
  let path: string | undefined
  for (const { key, value } of record.annotations) {
    if (key === 'binding' && typeof value === 'string') return `${value.slice(value.indexOf('/') + 1)}/${record.name}`
    if (key === 'path' && typeof value === 'string') path = value
  }
  const parts = path?.split('/')
  return parts?.length === 3 ? `${parts[1]}/${record.name}` : record.name
}

export function summaryOf(record: ActivationRecord): ActivationSummary {
  const { namespace, name, version, publish, activationId, start, annotations, end, duration, cause, response } = record
  return {
    namespace,
    name,
    version,
    publish,
    activationId,
    start,
    annotations,
    ...(end === undefined ? {} : { end, duration, statusCode: response.statusCode }),
    ...(cause === undefined ? {} : { cause }),
  }
}
