import { bounds, isSluiceError } from '@sluice/core/model'
import type { HubClient } from '@sluice/core/client'
import type { Clock, KeyRing, Logger, Random } from '@sluice/core/spi'
import { checkAuthority, readAuthKey } from './authority.ts'
import { commonParameters, readCommon } from './common-parameters.ts'
import type { DeadLetters } from './dead-letters.ts'
import { FeedError } from './feed-error.ts'
import type { Checked, Config, Feed, Parameters, ProviderDefinition, Session } from './feed.ts'
import type { KeyedLock } from './keyed-lock.ts'
import type { LiveSessions } from './live.ts'
import type { ProviderMetrics } from './metrics.ts'
import { nearMissWarnings } from './near-miss.ts'
import type { Registered, Registry } from './registry.ts'
import {
  isSecret,
  maskedConfig,
  maskedSecret,
  openConfig,
  sealConfig,
  type Status,
  type SubscriptionDocument,
} from './subscription.ts'
import { annotationWarnings } from './trigger-annotation.ts'
import { parseTriggerName, subscriptionId, type TriggerRef } from './trigger-name.ts'
import { ulid } from './ulid.ts'

/** An answer as the feed action hands it on: a body with `error` fails the action (feeds.md §1.5). */
export type LifecycleAnswer = { readonly status: number; readonly body: Readonly<Record<string, unknown>> }

export type LifecycleParts = {
  definition: ProviderDefinition
  client: HubClient
  registry: Registry
  live: LiveSessions
  locks: KeyedLock
  deadLetters: DeadLetters
  keyRing: KeyRing
  clock: Clock
  random: Random
  log: Logger
  metrics: ProviderMetrics
  lifecycleMs?: number
}

/** Names that are not the feed's own. */
const reserved = new Set([
  'lifecycleEvent',
  'triggerName',
  'authKey',
  '__OW_NAMESPACE',
  'sluiceToken',
  'sluiceEndpoint',
])

/** One call under way; a DELETE that comes later aborts it. */
type Operation = { readonly arrival: number; readonly controller: AbortController }

/** What every lifecycle event has read and proved before it does its own part. */
type Call = {
  readonly parameters: Parameters
  readonly trigger: TriggerRef
  readonly id: string
  readonly authKey: string
  readonly signal: AbortSignal
}

/**
 * CREATE, READ, UPDATE, DELETE, PAUSE and UNPAUSE (feeds.md §1): every call proves its authority by the trigger itself,
 * may come any number of times, and ends within 45 s. A DELETE wins over whatever was under way when it came.
 */
export function createLifecycle(parts: LifecycleParts): (parameters: Parameters) => Promise<LifecycleAnswer> {
  const { definition, registry, live, locks, keyRing, clock, metrics } = parts
  const { texts } = definition
  const underWay = new Map<string, Set<Operation>>()
  let arrivals = 0

  const handlers: Record<string, (call: Call, operation: Operation) => Promise<Record<string, unknown>>> = {
    CREATE: create,
    READ: read,
    UPDATE: update,
    DELETE: remove,
    PAUSE: pause,
    UNPAUSE: unpause,
  }

  return async function handleLifecycle(parameters) {
    const event = parameters.lifecycleEvent
    const handler = typeof event === 'string' && Object.hasOwn(handlers, event) ? handlers[event] : undefined
    if (!handler) return { status: 400, body: { error: 'unsupported lifecycleEvent' } }
    try {
      return { status: 200, body: await guarded(parameters, handler) }
    } catch (error) {
      return failure(error)
    }
  }

  async function guarded(
    parameters: Parameters,
    handler: (call: Call, operation: Operation) => Promise<Record<string, unknown>>,
  ) {
    const own = typeof parameters.__OW_NAMESPACE === 'string' ? parameters.__OW_NAMESPACE : undefined
    const trigger = parseTriggerName(parameters.triggerName, own, texts.noTriggerName)
    const authKey = readAuthKey(parameters.authKey)
    const id = subscriptionId(trigger)
    const operation: Operation = { arrival: ++arrivals, controller: new AbortController() }
    const operations = underWay.get(id) ?? new Set()
    underWay.set(id, operations.add(operation))
    const { signal } = operation.controller
    const timer = clock.setTimer(
      parts.lifecycleMs ?? bounds.feeds.lifecycleMs,
      () =>
        operation.controller.abort(
          new FeedError(504, 'the feed did not get ready in time', { code: 'SLUICE_REQUEST' }),
        ),
      { unref: true },
    )
    try {
      return await orAborted(handler({ parameters, trigger, id, authKey, signal }, operation), signal)
    } finally {
      timer.cancel()
      operations.delete(operation)
      if (operations.size === 0) underWay.delete(id)
    }
  }

  /** Aborts what began before, so that none of it takes effect any more. */
  function supersede(id: string, operation: Operation): void {
    for (const other of underWay.get(id) ?? []) {
      if (other.arrival < operation.arrival) {
        other.controller.abort(new FeedError(409, 'superseded', { code: 'SLUICE_FEED_SUPERSEDED' }))
      }
    }
  }

  /** Resolves to the trigger as the hub has it. */
  async function prove(call: Call, missingIsFine = false): Promise<unknown> {
    const { client, clock } = parts
    try {
      return await checkAuthority({ client, clock, texts, missingIsFine, ...call })
    } catch (error) {
      if (error instanceof FeedError && error.code === 'SLUICE_FEED_AUTH') metrics.authFailure('authority')
      throw error
    }
  }

  /** The part of a call that takes effect: alone on its subscription, and only while nothing superseded it. */
  function commit<T>(call: Call, work: () => Promise<T>): Promise<T> {
    return locks.run(call.id, async () => {
      call.signal.throwIfAborted()
      return work()
    })
  }

  async function create(call: Call): Promise<Record<string, unknown>> {
    const feed = feedNamed(definition, definition.select?.(call.parameters) ?? definition.feeds[0]?.name)
    const common = readCommon(call.parameters)
    const checked = await feed.create(ownParameters(call.parameters), contextOf(call))
    await prove(call)
    await commit(call, async () => {
      const stored = await registry.change(call.id, now => {
        const nowMs = clock.nowMs()
        return {
          subId: now?.document.subId ?? ulid(clock, parts.random),
          ...call.trigger,
          feed: feed.name,
          generation: (now?.document.generation ?? 0) + 1,
          createdAtMs: now?.document.createdAtMs ?? nowMs,
          changedAtMs: nowMs,
          resumeFromMs: nowMs,
          status: { active: true, dateChanged: nowMs },
          common,
          ...sealConfig(keyRing, bindOf(call.id), feed, checked.config, call.authKey),
        }
      })
      if (call.signal.aborted && stored?.document.generation === 1) {
        // Whoever asked was told that it failed: nothing of it may go on.
        await registry.remove(call.id)
      } else if (stored) {
        live.open(stored)
      }
    })
    return success(feed, call.parameters, checked)
  }

  async function read(call: Call): Promise<Record<string, unknown>> {
    const warnings = annotationWarnings(definition, await prove(call))
    const { document } = await existing(call)
    const feed = feedNamed(definition, document.feed)
    const { dateChanged, active, reason } = document.status
    const config = maskedConfig(feed, openConfig(keyRing, bindOf(call.id), document))
    return {
      config: { name: document.trigger, namespace: document.namespace, ...feed.describe(config) },
      status: { active, dateChanged, dateChangedISO: isoSeconds(dateChanged), ...(reason ? { reason } : {}) },
      stats: { ...live.statsOf(call.id), ...(warnings.length > 0 ? { warnings } : {}) },
    }
  }

  async function update(call: Call): Promise<Record<string, unknown>> {
    await prove(call)
    return commit(call, async () => {
      const { document } = await existing(call)
      refuseAdminDisabled(call, document)
      const feed = feedNamed(definition, document.feed)
      const parameters = withoutMasks(feed, ownParameters(call.parameters))
      const otherUpdates = commonParameters.some(({ name }) => parameters[name] !== undefined)
      const common = readCommon(parameters, document.common)
      const before = openConfig(keyRing, bindOf(call.id), document)
      // A source that hangs must not keep others from the subscription.
      const updated = Promise.resolve(feed.update(before, parameters, { ...contextOf(call), otherUpdates }))
      const checked = await orAborted(updated, call.signal)
      const sealed = sealConfig(keyRing, bindOf(call.id), feed, checked.config, call.authKey)
      await rewrite(call.id, (now, nowMs) => ({
        ...now,
        ...sealed,
        common,
        ...activated(now, nowMs, now.status.reason?.kind === 'USER'),
      }))
      return success(feed, parameters, checked)
    })
  }

  async function remove(call: Call, operation: Operation): Promise<Record<string, unknown>> {
    await prove(call, true)
    supersede(call.id, operation)
    await commit(call, async () => {
      live.forget(call.id)
      await registry.remove(call.id)
      await parts.deadLetters.drop(call.id)
    })
    return { status: 'success' }
  }

  async function pause(call: Call): Promise<Record<string, unknown>> {
    await prove(call)
    await commit(call, async () => {
      const { document } = await existing(call)
      refuseAdminDisabled(call, document)
      if (document.status.reason?.kind === 'USER') return
      await rewrite(call.id, (now, nowMs) => ({
        ...now,
        status: {
          active: false,
          dateChanged: now.status.active ? nowMs : now.status.dateChanged,
          reason: { kind: 'USER', message: 'Paused by its user' },
        },
      }))
    })
    return { status: 'success' }
  }

  async function unpause(call: Call): Promise<Record<string, unknown>> {
    await prove(call)
    await commit(call, async () => {
      const { document } = await existing(call)
      refuseAdminDisabled(call, document)
      if (document.status.active) return
      await rewrite(call.id, (now, nowMs) => ({ ...now, ...activated(now, nowMs, false) }))
    })
    return { status: 'success' }
  }

  /** Writes the next generation and brings the running session in line with it. */
  async function rewrite(
    id: string,
    next: (now: SubscriptionDocument, nowMs: number) => SubscriptionDocument,
  ): Promise<void> {
    const stored = await registry.change(id, now => {
      if (!now) return undefined
      const nowMs = clock.nowMs()
      return { ...next(now.document, nowMs), generation: now.document.generation + 1, changedAtMs: nowMs }
    })
    if (stored) live.open(stored)
  }

  async function existing(call: Call): Promise<Registered> {
    const found = await registry.get(call.id)
    if (!found) throw new FeedError(404, texts.notFound(fullName(call.trigger)))
    return found
  }

  function refuseAdminDisabled(call: Call, document: SubscriptionDocument): void {
    if (document.status.reason?.kind === 'ADMIN') throw new FeedError(400, texts.adminDisabled(fullName(call.trigger)))
  }

  function contextOf(call: Call) {
    return { nowMs: clock.nowMs(), ...call.trigger, signal: call.signal }
  }

  function bindOf(id: string): string {
    return `${definition.name}:${id}`
  }

  function success(feed: Feed, parameters: Parameters, checked: Checked): Record<string, unknown> {
    const known = [...feed.parameters, ...commonParameters].map(parameter => parameter.name)
    const given = Object.keys(ownParameters(parameters))
    const warnings = [...(checked.warnings ?? []), ...nearMissWarnings(given, known)]
    return { status: 'success', ...(warnings.length > 0 ? { warnings } : {}) }
  }

  function failure(error: unknown): LifecycleAnswer {
    if (error instanceof FeedError) return shaped(error.status, error.message, error.code, error.detail)
    if (isSluiceError(error, 'SLUICE_FEED_PARAMETER')) return shaped(400, error.message, error.code)
    parts.log.error({ err: error }, 'lifecycle call failed')
    return shaped(500, 'the provider could not do this now', 'SLUICE_STORE_UNAVAILABLE')
  }

  function shaped(status: number, text: string, code: string, detail?: string): LifecycleAnswer {
    if (definition.errorShape === 'flat') return { status, body: { error: text, code } }
    return { status, body: { error: { error: text, ...(detail === undefined ? {} : { message: detail }) } } }
  }
}

/** After a change that makes it run: from where it stopped if it did, else from now (feeds.md S4). */
function activated(
  now: SubscriptionDocument,
  nowMs: number,
  staysPaused: boolean,
): { status: Status; resumeFromMs: number } {
  if (staysPaused) return { status: now.status, resumeFromMs: now.resumeFromMs }
  if (now.status.active) return { status: now.status, resumeFromMs: nowMs }
  return { status: { active: true, dateChanged: nowMs }, resumeFromMs: now.status.dateChanged }
}

/** Writes `AUTO` into the document of the session's generation and ends the session; later generations are untouched. */
export async function disableSession(
  parts: Pick<LifecycleParts, 'registry' | 'live' | 'locks' | 'clock' | 'log' | 'metrics'>,
  session: Session,
  message: string,
  statusCode?: number,
): Promise<void> {
  const { registry, live, locks, clock, log, metrics } = parts
  await locks.run(session.id, async () => {
    if (session.ended) return
    const dateChanged = clock.nowMs()
    await registry.change(session.id, now => {
      if (now?.document.generation !== session.generation) return undefined
      const reason = { kind: 'AUTO' as const, ...(statusCode === undefined ? {} : { statusCode }), message }
      return { ...now.document, status: { active: false, dateChanged, reason } }
    })
    live.close(session.id)
    metrics.disabled(session.namespace)
    log.warn({ subscription: session.id, statusCode, reason: message }, 'subscription disabled')
  })
}

function feedNamed(definition: ProviderDefinition, name: string | undefined): Feed {
  const feed = definition.feeds.find(candidate => candidate.name === name)
  if (!feed) throw new FeedError(400, `there is no feed '${name}'`)
  return feed
}

function ownParameters(parameters: Parameters): Config {
  return Object.fromEntries(Object.entries(parameters).filter(([name]) => !reserved.has(name)))
}

/** `********` is what READ showed: it changes nothing. */
function withoutMasks(feed: Feed, parameters: Parameters): Config {
  return Object.fromEntries(
    Object.entries(parameters).filter(([name, value]) => !(value === maskedSecret && isSecret(feed, name))),
  )
}

function fullName(trigger: TriggerRef): string {
  return `/${trigger.namespace}/${trigger.trigger}`
}

function isoSeconds(ms: number): string {
  return new Date(ms).toISOString().replace(/\.\d+Z$/, 'Z')
}

/** The work's result, or the signal's reason as soon as it aborts: an answer never waits for a source that hangs. */
function orAborted<T>(work: Promise<T>, signal: AbortSignal): Promise<T> {
  return new Promise((resolve, reject) => {
    if (signal.aborted) reject(signal.reason as Error)
    signal.addEventListener('abort', () => reject(signal.reason as Error), { once: true })
    work.then(resolve, reject)
  })
}
