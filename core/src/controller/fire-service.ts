import {
  ApiError,
  bounds,
  fireIdOf,
  messages,
  SluiceError,
  stringifyJson,
  topics,
  type FiredRule,
  type FireRecord,
} from '../model/index.ts'
import type { Clock, MessageBus, Random, RecordTail, StateStore } from '../spi/index.ts'
import { createFireIdentities } from './fire-identities.ts'
import { readFiredEvent, type FiredEvent } from './fired-event.ts'
import type { FireCall, FireService } from './services.ts'

/**
 * Accepts events for a trigger: one durable fire record, then the answer (design.md §3.1, reliability.md §6.2.1). What
 * the record's rules run is the business of fan-out.
 */
export type FireDependencies = {
  readonly bus: MessageBus
  readonly state: StateStore
  readonly clock: Clock
  readonly random: Random
  readonly tail: RecordTail
  readonly observe?: { accepted?(fire: FireRecord): void; repeated?(namespace: string): void }
}

export type FireAcceptor = FireService & {
  start(): Promise<void>
  /** Runs that were accepted in this process and have no record yet, over all namespaces. */
  pending(): number
  prune(): Promise<number>
}

export function createFireService(deps: FireDependencies): FireAcceptor {
  const { bus, clock, observe, random, tail } = deps
  const identities = createFireIdentities(deps.state, clock)
  const backlog = new Map<string, number>()
  /** Requests under way by fire id: the same event sent twice at once is one fire. */
  const underWay = new Map<string, { digest: string; answer: Promise<{ activationId: string } | undefined> }>()

  tail.listen(record => {
    if (record.sluice?.rule === undefined) return
    const left = (backlog.get(record.namespace) ?? 0) - 1
    if (left > 0) backlog.set(record.namespace, left)
    else backlog.delete(record.namespace)
  })

  async function fire(call: FireCall): Promise<{ activationId: string } | undefined> {
    const fired = readFiredEvent(call)
    if (!fired.identity) return accept(call, fired, random.hexId())
    const namespace = call.trigger.namespace
    const fireId = fireIdOf(namespace, call.trigger.name, fired.identity.source, fired.identity.id)
    const first = underWay.get(fireId)
    if (first) return repeat(first.digest, fired, () => first.answer)
    const answer = acceptIdentified(call, fired, fireId)
    underWay.set(fireId, { digest: fired.digest(), answer })
    try {
      return await answer
    } finally {
      underWay.delete(fireId)
    }
  }

  async function acceptIdentified(
    call: FireCall,
    fired: FiredEvent,
    fireId: string,
  ): Promise<{ activationId: string } | undefined> {
    const { namespace } = call.trigger
    const known = await identities.find(namespace, fireId)
    if (known)
      return repeat(known.digest, fired, () => Promise.resolve(known.fired ? { activationId: fireId } : undefined))
    const answer = await accept(call, fired, fireId)
    // After the record, never before: a crash in between makes the sender try again, and the ids meet.
    await identities.remember(namespace, fireId, fired.digest(), answer !== undefined)
    return answer
  }

  function repeat<T>(digest: string, fired: FiredEvent, answer: () => Promise<T>): Promise<T> {
    if (digest !== fired.digest()) throw new ApiError(422, messages.identityConflict)
    return answer()
  }

  async function accept(
    call: FireCall,
    fired: FiredEvent,
    fireId: string,
  ): Promise<{ activationId: string } | undefined> {
    const { trigger, identity } = call
    const rules = Object.entries(trigger.rules ?? {}).map(([rule, link]): FiredRule => ({
      rule,
      action: `${link.action.path}/${link.action.name}`,
      decision: link.status === 'active' ? 'run' : 'inactive',
    }))
    const runs = rules.filter(({ decision }) => decision === 'run').length
    if (runs === 0) return undefined
    const waiting = backlog.get(trigger.namespace) ?? 0
    if (waiting >= bounds.fire.backlogMax) {
      throw new SluiceError('SLUICE_BACKLOG', `${waiting} runs of this namespace are waiting already; try again later.`)
    }
    const record: FireRecord = {
      fireId,
      transid: call.transid,
      trigger: {
        namespace: trigger.namespace,
        name: trigger.name,
        version: trigger.version,
        parameters: trigger.parameters,
      },
      user: identity,
      acceptedAtMs: clock.nowMs(),
      payload: fired.payload,
      ...(fired.wholeEvent ? { wholeEvent: true } : {}),
      headers: fired.headers,
      event: fired.attributes(fireId, clock.nowMs()),
      ...(fired.input === undefined ? {} : { input: fired.input }),
      rules,
    }
    backlog.set(trigger.namespace, waiting + runs)
    try {
      await bus.publish(topics.fires, [
        { key: `${trigger.namespace}/${trigger.name}`, body: Buffer.from(encodeFire(record)) },
      ])
    } catch (error) {
      backlog.set(trigger.namespace, Math.max(0, (backlog.get(trigger.namespace) ?? 0) - runs))
      throw error
    }
    observe?.accepted?.(record)
    return { activationId: fireId }
  }

  return {
    fire,
    start: () =>
      bus.ensureTopic(topics.fires, {
        partitions: bounds.bus.partitions,
        retentionMs: bounds.bus.retentionMs,
        messageBytesMax: bounds.fire.messageBytesMax,
      }),
    pending: () => [...backlog.values()].reduce((sum, runs) => sum + runs, 0),
    prune: () => identities.prune(),
  }
}

/** JSON text of a fire record; parameters keep their digits. */
function encodeFire(record: FireRecord): string {
  return record.trigger.parameters.length === 0 ? JSON.stringify(record) : stringifyJson(record)
}
