import { bounds } from '@sluice/core/model'
import type { KeyRing, Logger } from '@sluice/core/spi'
import type { DeadLetters } from './dead-letters.ts'
import { eventRequest, type CoreDialect } from './event-request.ts'
import { closedError } from './feed-error.ts'
import type { Feed, FeedEvent, FireOutcome, Session, SharedSource } from './feed.ts'
import type { Firer, FireResult } from './firer.ts'
import { LiveSession, type SessionWork } from './live-session.ts'
import type { ProviderMetrics } from './metrics.ts'
import type { Registered } from './registry.ts'
import { openAuthKey, openConfig } from './subscription.ts'

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

/** Runs the sessions of the active subscriptions of one provider. */
export function createLive(options: {
  provider: string
  feedOf: (name: string) => Feed
  source: SharedSource | undefined
  owner: Pick<SessionWork, 'disable' | 'remove'>
  firer: Firer
  deadLetters: DeadLetters
  keyRing: KeyRing
  dialect: CoreDialect
  log: Logger
  metrics: ProviderMetrics
}) {
  const { provider, source, owner, firer, deadLetters, keyRing, log, metrics } = options
  const sessions = new Map<string, LiveSession>()
  const counts = new Map<string, Counts>()
  /** Feeds without a shared source, while they run. */
  const running = new Set<Promise<void>>()
  const work: SessionWork = { fire, disable: owner.disable, remove: owner.remove }

  function open(registered: Registered): void {
    const { id, document } = registered
    close(id)
    if (!document.status.active) return
    const feed = options.feedOf(document.feed)
    let config: Session['config']
    try {
      config = openConfig(keyRing, `${provider}:${id}`, document)
    } catch (error) {
      countsOf(id).lastError = 'its secrets cannot be read with the keys at hand'
      log.error({ subscription: id, err: error }, 'subscription not started')
      return
    }
    const session = new LiveSession(id, document, config, work)
    sessions.set(id, session)
    if (source) beginIn(source, session)
    else run(feed, session)
  }

  /** A failure of one subscription stays its own (feeds.md W7). */
  function beginIn(shared: SharedSource, session: LiveSession): void {
    try {
      shared.open(session)
    } catch (error) {
      failed(session, error)
    }
  }

  function run(feed: Feed, session: LiveSession): void {
    const ended = Promise.resolve()
      .then(() => feed.open?.(session))
      .catch((error: unknown) => {
        if (!session.ended) failed(session, error)
      })
      .finally(() => running.delete(ended))
    running.add(ended)
  }

  function failed(session: LiveSession, error: unknown): void {
    countsOf(session.id).lastError = 'the source failed'
    log.error({ subscription: session.id, err: error }, 'source failed')
  }

  async function fire(session: LiveSession, event: FeedEvent): Promise<FireOutcome> {
    if (session.ended) throw closedError()
    const { id, namespace } = session
    const tally = countsOf(id)
    metrics.received(namespace)
    tally.lastEventTime = event.timeMs
    tally.inFlight++
    try {
      const result = await session.withSignal(signal =>
        firer.fire({
          trigger: session,
          authKey: () => openAuthKey(keyRing, `${provider}:${id}`, session.document),
          request: () => eventRequest(event, session, session.common.eventFormat, options.dialect),
          maxAttempts: session.common.maxAttempts,
          maxRetryElapsedMs: session.common.maxRetryElapsed * 1000,
          signal,
          onAttempt: report => {
            metrics.attempted(namespace, report, event.dueMs)
            if (report.attempt > 1) tally.retried++
            if (report.class !== 'success') tally.failed++
            tally.lastFireTime = report.sentAtMs
            tally.lastFireStatus = report.status
          },
        }),
      )
      return await settle(session, event, result)
    } catch (error) {
      if (session.ended) throw closedError()
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
    const session = sessions.get(id)
    if (!session) return
    sessions.delete(id)
    session.end()
    source?.end(session)
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
    /** READ's `stats`: counts since this process started, and what the source knows. */
    statsOf(id: string): Record<string, unknown> {
      const { refusedInARow, ...tally } = countsOf(id)
      const degraded = refusedInARow >= bounds.feeds.degradedAfter
      return { ...tally, ...(degraded ? { degraded } : {}), ...source?.stats(id) }
    },
    get size() {
      return sessions.size
    },
    /** Ends all sessions and waits for what they have under way. */
    async closeAll(): Promise<void> {
      for (const id of [...sessions.keys()]) close(id)
      await Promise.all(running)
    },
  }
}

export type LiveSessions = ReturnType<typeof createLive>

function disabledText(status: number): string {
  return `Trigger automatically disabled: Received a ${status} status code when firing the trigger`
}
