import type { Clock, Logger, Random, StateStore } from '@sluice/core/spi'
import type { CommonParameters } from './common-parameters.ts'
import type { FeedParameter, Parameters } from './feed-parameter.ts'

export type { FeedParameter, Parameters } from './feed-parameter.ts'

/**
 * What a provider is made of (feeds.md §1, style.md §7): a list of feeds, each a set of parameters and one async
 * function that runs while the subscription is active.
 */
export type ProviderDefinition = {
  /** First part of every key and of the subscription ids: `alarms`. */
  readonly name: string
  readonly feeds: readonly Feed[]
  /** The feed that a CREATE with these parameters means; without it the only feed. */
  select?(parameters: Parameters): string
  /** `nested`: `{error: {error}}` as alarms and cloudant; `flat`: `{error, code}` (feeds.md §1.5). */
  readonly errorShape: 'nested' | 'flat'
  readonly texts: ProviderTexts
  /** Opens what all subscriptions share (a scheduler, connections) before the first one runs. */
  start?(services: ProviderServices): Promise<SharedSource>
}

/** Texts that differ between providers. */
export type ProviderTexts = {
  noTriggerName: string
  unauthorized: string
  /** Overrides the status of a refused authority check; without it the hub's status is handed on. */
  unauthorizedStatus?: number
  adminDisabled: (triggerName: string) => string
  notFound: (triggerName: string) => string
}

export type ProviderServices = {
  readonly name: string
  readonly instance: string
  readonly state: StateStore
  readonly clock: Clock
  readonly random: Random
  readonly log: Logger
  /** Counts events that were missed and that the source's rules do not make up. */
  dropped(namespace: string, count: number): void
}

export interface SharedSource {
  /** Begins work for a session. Must not wait. */
  open(session: Session): void
  /** The session has ended. When its subscription was changed, the next one opens in the same turn. */
  end(session: Session): void
  /** Every subscription there is has been read, and the active ones are open: what is kept about others can go.
   *  `subIdOf` gives nothing for one that is not there. */
  loaded(subIdOf: (id: string) => string | undefined): void
  /** The subscription is deleted: forgets what is kept about it. */
  forget(id: string): void
  /** What READ shows under `stats` from the source's side. */
  stats(id: string): Readonly<Record<string, unknown>>
  /** Every session has ended: writes what is left to write. */
  close(): Promise<void>
}

/** A feed's checked parameters: JSON, kept as the subscription's config. */
export type Config = Readonly<Record<string, unknown>>

/** What a feed's checks may look at. */
export type CallContext = {
  readonly nowMs: number
  readonly namespace: string
  readonly trigger: string
  /** Aborts when a later call supersedes this one, or when its time is over. */
  readonly signal: AbortSignal
}

export type Feed = {
  readonly name: string
  readonly description: string
  readonly parameters: readonly FeedParameter[]
  /** Checks the parameters of a CREATE and, where there is one, the source. Throws FeedError or SLUICE_FEED_PARAMETER. */
  create(parameters: Parameters, context: CallContext): Checked | Promise<Checked>
  /** Applies a patch: absent parameters stay, null means default. Throws FeedError, also when nothing that may be
   *  updated was given, unless `otherUpdates` (a parameter common to all feeds is). */
  update(
    config: Config,
    parameters: Parameters,
    context: CallContext & { otherUpdates: boolean },
  ): Checked | Promise<Checked>
  /** READ's config beside `name` and `namespace`; secrets in `config` are masked already. */
  describe(config: Config): Record<string, unknown>
  /** Runs until `session.signal` aborts; for feeds without a shared source. Must not reject: a failure is its own. */
  open?(session: Session): Promise<void>
}

export type Checked = { readonly config: Config; readonly warnings?: readonly string[] }

/** Lets a feed be written as one literal with its types checked. */
export function defineFeed(feed: Feed): Feed {
  return feed
}

/** One active subscription at work. A change of the subscription ends it and opens another. */
export type Session = {
  /** `<ns>:<trigger>`, unique in the provider. */
  readonly id: string
  readonly subId: string
  readonly generation: number
  readonly namespace: string
  readonly trigger: string
  readonly feed: string
  readonly config: Config
  readonly common: CommonParameters
  readonly createdAtMs: number
  /** When this generation came to be. */
  readonly changedAtMs: number
  /** Where a source without a position of its own goes on: the moment of CREATE or UPDATE, or, after a pause or a
   *  disabling, the moment that began. */
  readonly resumeFromMs: number
  /** True once the subscription was changed, paused, disabled or deleted, or the provider stops. */
  readonly ended: boolean
  /** Aborts when the session ends. Asking for it costs memory: who has thousands of sessions looks at `ended`. */
  readonly signal: AbortSignal
  /** Resolves when the event is settled; rejects with SLUICE_CLOSED when the session ended first: the event stays
   *  undelivered and its position must not move. */
  fire(event: FeedEvent): Promise<FireOutcome>
  /** Ends the subscription's activity for a reason of the source; it stays and can be updated. */
  disable(message: string, statusCode?: number): Promise<void>
  /** Deletes the subscription, and with `trigger` or `rules` what it fired (feeds.md §2.1 deleteAfterFire). Resolves to
   *  false when the hub refused: the subscription is still there. */
  remove(also: 'nothing' | 'trigger' | 'rules'): Promise<boolean>
}

/** A CloudEvent before its envelope: the kit adds `specversion`, `recordedtime`, `owtrigger`, `traceparent`. */
export type FeedEvent = {
  readonly id: string
  readonly source: string
  readonly type: string
  readonly subject?: string
  /** Epoch milliseconds. */
  readonly timeMs: number
  /** When the event was first built; stays the same on every attempt and after a restart. */
  readonly recordedAtMs: number
  /** When a schedule wanted it to be sent; its lateness is measured against this. Absent where nothing was scheduled, or
   *  where it was missed and is made up for. */
  readonly dueMs?: number
  /** JSON. An object is fired as it is; anything else only as an event's data. */
  readonly data: unknown
  /** Further attributes, such as `sequence`, `partitionkey`. */
  readonly attributes?: Readonly<Record<string, string | number | boolean>>
}

export type FireOutcome =
  | { readonly outcome: 'fired'; readonly status: number; readonly attempts: number }
  | { readonly outcome: 'deadLettered'; readonly reason: string; readonly status?: number; readonly attempts: number }
