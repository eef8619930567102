import { setMaxListeners } from 'node:events'
import { bounds } from '@sluice/core/model'
import type { KeyRing, Logger } from '@sluice/core/spi'
import type { DeadLetters } from './dead-letters.ts'
import { eventRequest, type CoreDialect } from './event-request.ts'
import { closedError } from './feed-error.ts'
import type { Feed, FeedEvent, FireOutcome, Session, SharedSource } from './feed.ts'
import type { Firer, FireResult } from './firer.ts'
import type { ProviderMetrics } from './metrics.ts'
import type { Registered } from './registry.ts'
import { openAuthKey, openConfig } from './subscription.ts'

/** What an open session asks of the part that owns the documents. */
export type SessionOwner = {
  disable(session: Session, message: string, statusCode?: number): Promise<void>
  remove(session: Session, also: 'nothing' | 'trigger' | 'rules'): Promise<boolean>
}

/** Counted since the process started; shown in READ's `stats`. */
export type Counts = {
  fired: number
  failed: number
  retried: number
  deadLettered: number
  inFlight: number
  /** Event-permanent failures in a row: 20 make it degraded (feeds.md S1). */
  refusedInARow: number
  lastEventTime?: number
  lastFireTime?: number
  lastFireStatus?: number
  lastError?: string
}

type Live = {
  readonly session: Session
  readonly controller: AbortController
  readonly ended: Promise<void>
}

/** Runs the sessions of the active subscriptions of one provider. */
export function createLive(options: {
  provider: string
  feedOf: (name: string) => Feed
  source: SharedSource | undefined
  owner: SessionOwner
  firer: Firer
  deadLetters: DeadLetters
  keyRing: KeyRing
  dialect: CoreDialect
  log: Logger
  metrics: ProviderMetrics
}) {
  const { provider, source, owner, firer, deadLetters, keyRing, log, metrics } = options
  const sessions = new Map<string, Live>()
  const counts = new Map<string, Counts>()

  function open(registered: Registered): void {
    const { id, document } = registered
    close(id)
    if (!document.status.active) return
    const feed = options.feedOf(document.feed)
    const controller = new AbortController()
    // Each event that waits listens, and a session has as many as its feed lets it.
    setMaxListeners(0, controller.signal)
    const bind = `${provider}:${id}`
    let config: Session['config']
    try {
      config = openConfig(keyRing, bind, document)
    } catch (error) {
      countsOf(id).lastError = 'its secrets cannot be read with the keys at hand'
      log.error({ subscription: id, err: error }, 'subscription not started')
      return
    }
    const session: Session = {
      id,
      subId: document.subId,
      generation: document.generation,
      namespace: document.namespace,
      trigger: document.trigger,
      feed: document.feed,
      config,
      common: document.common,
      createdAtMs: document.createdAtMs,
      changedAtMs: document.changedAtMs,
      resumeFromMs: document.resumeFromMs,
      signal: controller.signal,
      fire: event => fire(session, () => openAuthKey(keyRing, bind, document), event),
      disable: (message, statusCode) => owner.disable(session, message, statusCode),
      remove: also => owner.remove(session, also),
    }
    const ended = run(feed, session)
    sessions.set(id, { session, controller, ended })
  }

  /** A failure of one subscription stays its own (feeds.md W7). */
  async function run(feed: Feed, session: Session): Promise<void> {
    try {
      if (source) await source.open(session)
      else await feed.open?.(session)
    } catch (error) {
      if (session.signal.aborted) return
      countsOf(session.id).lastError = 'the source failed'
      log.error({ subscription: session.id, err: error }, 'source failed')
    }
  }

  async function fire(session: Session, authKey: () => string, event: FeedEvent): Promise<FireOutcome> {
    if (session.signal.aborted) throw closedError()
    const { id, namespace } = session
    const tally = countsOf(id)
    metrics.received(namespace)
    tally.lastEventTime = event.timeMs
    const request = eventRequest(event, session, session.common.eventFormat, options.dialect)
    if (request.bytes > bounds.feeds.payloadBytesMax) {
      return settle(session, event, {
        kind: 'refused',
        reason: 'payload-too-large',
        status: 413,
        attempts: 0,
        answer: '',
      })
    }
    tally.inFlight++
    try {
      const result = await firer.fire({
        trigger: session,
        authKey,
        request,
        maxAttempts: session.common.maxAttempts,
        maxRetryElapsedMs: session.common.maxRetryElapsed * 1000,
        signal: session.signal,
        onAttempt: report => {
          metrics.attempted(namespace, report, event.dueMs)
          if (report.attempt > 1) tally.retried++
          if (report.class !== 'success') tally.failed++
          tally.lastFireTime = report.sentAtMs
          tally.lastFireStatus = report.status
        },
      })
      return await settle(session, event, result)
    } catch (error) {
      if (session.signal.aborted) throw closedError()
      throw error
    } finally {
      tally.inFlight--
    }
  }

  async function settle(session: Session, event: FeedEvent, result: FireResult): Promise<FireOutcome> {
    const { id, namespace } = session
    const tally = countsOf(id)
    if (result.kind === 'fired') {
      tally.fired++
      tally.refusedInARow = 0
      return { outcome: 'fired', status: result.status, attempts: result.attempts }
    }
    if (result.kind === 'held') {
      await session.disable(disabledText(result.status), result.status)
      throw closedError()
    }
    const { reason, status, attempts, answer } = result
    await deadLetters.add(id, event, { reason, status, attempts, answer })
    tally.deadLettered++
    tally.refusedInARow++
    tally.lastError = `dead-lettered: ${reason}`
    metrics.deadLettered(namespace, reason)
    log.warn({ subscription: id, eventId: event.id, reason, status, attempts }, 'event dead-lettered')
    return { outcome: 'deadLettered', reason, status, attempts }
  }

  function countsOf(id: string): Counts {
    let tally = counts.get(id)
    if (!tally) {
      tally = { fired: 0, failed: 0, retried: 0, deadLettered: 0, inFlight: 0, refusedInARow: 0 }
      counts.set(id, tally)
    }
    return tally
  }

  /** Ends the session at once; what it has under way ends by itself. Nothing is sent for it after its current attempts. */
  function close(id: string): void {
    sessions.get(id)?.controller.abort(closedError())
    sessions.delete(id)
  }

  return {
    open,
    close,
    /** Forgets everything about a subscription that is gone. */
    forget(id: string): void {
      close(id)
      counts.delete(id)
      source?.forget(id)
    },
    statsOf: (id: string) => ({ ...countsOf(id), ...source?.stats(id) }),
    get size() {
      return sessions.size
    },
    /** Ends all sessions and waits for what they have under way. */
    async closeAll(): Promise<void> {
      const all = [...sessions.values()]
      sessions.clear()
      for (const { controller } of all) controller.abort(closedError())
      await Promise.all(all.map(({ ended }) => ended))
    },
  }
}

export type LiveSessions = ReturnType<typeof createLive>

function disabledText(status: number): string {
  return `Trigger automatically disabled: Received a ${status} status code when firing the trigger`
}
