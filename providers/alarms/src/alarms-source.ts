import { bounds, isSluiceError } from '@sluice/core/model'
import type { FeedEvent, ProviderServices, Session, SharedSource } from '@sluice/provider-kit'
import { alarmEvent } from './alarm-event.ts'
import type { AlarmConfig, OperatorOptions } from './config.ts'
import { createDriver } from './engine/driver.ts'
import type { Ending } from './engine/finish.ts'
import { ledgerAfterUpdate, newLedger, withOutcome, type Intent, type Ledger, type Outcome } from './engine/ledger.ts'
import { createPulse, type Pulse } from './engine/pulse.ts'
import { Scheduler, type Decision } from './engine/scheduler.ts'
import { openJournal } from './journal.ts'
import { toSubscription } from './subscription.ts'

/**
 * All alarms of one process behind one pulse:
 *
 *   pulse -> scheduler decides -> intents into the journal (one write) -> fires -> outcomes into the journal -> scheduler
 *
 * After a crash an intent without an outcome is fired again under the same id (feeds.md F5).
 */
export async function openAlarmsSource(
  services: ProviderServices,
  options: OperatorOptions & { pulse?: Pulse },
): Promise<SharedSource> {
  const { state, clock, log } = services
  const journal = await openJournal(state, log)
  const scheduler = new Scheduler({ clock })
  const pulse = options.pulse ?? createPulse(clock)
  const driver = createDriver({
    clock,
    scheduler,
    pulse,
    onDecisions: decisions => void inFlight(carryOut(decisions)),
  })
  const sessions = new Map<string, Session>()
  const underWay = new Set<Promise<void>>()
  let settleSoon: { cancel(): void } | undefined

  function inFlight(work: Promise<void>): Promise<void> {
    const tracked = work
      .catch((error: unknown) => log.error({ err: error }, 'alarms: a decision was not carried out'))
      .finally(() => underWay.delete(tracked))
    underWay.add(tracked)
    return tracked
  }

  /** A changed subscription has its next session in this turn, and what is under way goes on in that one. */
  function end(session: Session): void {
    queueMicrotask(() => {
      if (sessions.get(session.id) !== session) return
      sessions.delete(session.id)
      scheduler.disarm(session.id)
    })
  }

  function arm(session: Session): void {
    const { id, subId, generation } = session
    const before = sessions.get(id)
    if (before && before.subId !== subId) scheduler.disarm(id)
    const ledger = ledgerFor(session, before?.subId === subId ? before : undefined)
    sessions.set(id, session)
    scheduler.arm(toSubscription(id, generation, configOf(session), session.trigger, options), ledger)
    journal.record(id, { subId, generation, ledger: scheduler.ledger(id) ?? ledger })
    driver.poke()
  }

  /** Where a session goes on: in its own ledger after a restart, from a moment after a change. */
  function ledgerFor(session: Session, before: Session | undefined): Ledger {
    const line = journal.get(session.id)
    if (line?.subId !== session.subId) return newLedger(session.resumeFromMs)
    if (line.generation === session.generation) return line.ledger
    const config = configOf(session)
    const { ledger } = line
    const changed = before
      ? ledgerAfterUpdate(ledger, configOf(before), config, session.changedAtMs)
      : { ...ledger, fromMs: Math.max(ledger.fromMs, session.resumeFromMs) }
    // Who changes a subscription that had used up its fires wants it to go on.
    const usedUp = config.maxTriggers !== undefined && ledger.fired >= config.maxTriggers
    return usedUp ? { ...changed, fired: 0 } : changed
  }

  async function carryOut(decisions: readonly Decision[]): Promise<void> {
    for (const decision of decisions) {
      recordLedger(decision.id)
      if (decision.kind === 'drop') services.dropped(sessions.get(decision.id)?.namespace ?? '', decision.count)
    }
    const fires = decisions.filter(decision => decision.kind === 'fire')
    const endings = decisions.filter(decision => decision.kind === 'finish')
    if (fires.length > 0) {
      try {
        await journal.flush()
      } catch (error) {
        log.warn({ err: error, alarms: fires.length }, 'intents not written; the alarms are fired later')
        for (const { id, dueMs } of fires) scheduler.settle(id, dueMs, 'later')
        return
      }
      for (const decision of fires) void inFlight(fire(decision))
    }
    for (const ending of endings) void inFlight(finish(ending))
  }

  function recordLedger(id: string): void {
    const line = journal.get(id)
    const ledger = scheduler.ledger(id)
    if (line && ledger) journal.record(id, { ...line, ledger })
  }

  /** Hands the event to whatever session the subscription has, until it is settled or the subscription stops. */
  async function fire({ id, dueMs, repeated }: Decision & { kind: 'fire' }): Promise<void> {
    const first = sessions.get(id)
    const intent = scheduler.ledger(id)?.intent
    if (!first || intent?.dueMs !== dueMs) return
    const event = eventOf(first, intent, !repeated && intent.missedCount === undefined && !configOf(first).jitter)
    for (;;) {
      const session = sessions.get(id)
      if (session?.subId !== first.subId || session.ended) return
      try {
        const { outcome } = await session.fire(event)
        settle(first, dueMs, outcome)
        return
      } catch (error) {
        if (isSluiceError(error, 'SLUICE_CLOSED')) continue
        log.warn({ err: error, subscription: id }, 'alarm not settled; it is fired again')
        await clock.sleep(bounds.alarms.storeRetryMs)
      }
    }
  }

  function settle({ id, subId }: Session, dueMs: number, outcome: Outcome): void {
    const line = journal.get(id)
    if (line?.subId !== subId) return
    scheduler.settle(id, dueMs, outcome)
    journal.record(id, { ...line, ledger: scheduler.ledger(id) ?? withOutcome(line.ledger, dueMs, outcome) })
    settleSoon ??= clock.setTimer(bounds.alarms.settleDelayMs, () => {
      settleSoon = undefined
      journal.flush().catch((error: unknown) => log.warn({ err: error }, 'outcomes not written; they are kept'))
    })
    driver.poke()
  }

  /** The outcome of the last fire is durable before anything is disabled or deleted for it. */
  async function finish(decision: Decision & { kind: 'finish' } & Ending): Promise<void> {
    for (;;) {
      const session = sessions.get(decision.id)
      if (session?.generation !== decision.generation || session.ended) return
      try {
        await journal.flush()
        if (decision.action === 'disable') await session.disable(decision.reason)
        else if (!(await session.remove(decision.rules ? 'rules' : 'trigger'))) {
          await session.disable('Automatically disabled after firing once')
        }
        return
      } catch (error) {
        if (session.ended) return
        log.warn({ err: error, subscription: decision.id }, 'ended alarm not written; it is tried again')
        await clock.sleep(bounds.alarms.storeRetryMs)
      }
    }
  }

  function eventOf(session: Session, intent: Intent, onTime: boolean): FeedEvent {
    const { instance } = services
    const { namespace, trigger, subId: subscriptionId } = session
    const event = alarmEvent({ instance, namespace, trigger, subscriptionId }, configOf(session), intent)
    const { type, source, subject, id, sequence, partitionkey, missedcount, data } = event
    return {
      ...{ type, source, subject, id, data },
      timeMs: intent.dueMs,
      recordedAtMs: intent.decidedMs,
      ...(onTime ? { dueMs: intent.dueMs } : {}),
      attributes: { sequence, partitionkey, ...(missedcount === undefined ? {} : { missedcount }) },
    }
  }

  return {
    open: arm,
    end,
    loaded(subIdOf) {
      journal.retain((id, line) => subIdOf(id) === line.subId)
      driver.start()
    },
    forget: id => journal.record(id, undefined),
    stats(id) {
      const ledger = scheduler.ledger(id) ?? journal.get(id)?.ledger
      const nextFireMs = scheduler.nextFireMs(id)
      const triggersLeft = scheduler.triggersLeft(id)
      return {
        ...(ledger?.doneMs === undefined ? {} : { checkpoint: ledger.doneMs }),
        ...(ledger ? { missedDropped: ledger.dropped } : {}),
        ...(nextFireMs === undefined ? {} : { nextFireTime: nextFireMs }),
        ...(triggersLeft === undefined ? {} : { triggersLeft }),
      }
    },
    async close() {
      driver.stop()
      while (underWay.size > 0) await Promise.all(underWay)
      settleSoon?.cancel()
      await journal.close()
    },
  }
}

/** The feed's own checks made it, or an earlier version's. */
function configOf(session: Session): AlarmConfig {
  return session.config as AlarmConfig
}
