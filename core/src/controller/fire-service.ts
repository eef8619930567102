import {
  ApiError,
  bounds,
  fireIdOf,
  parseJson,
  messages,
  SluiceError,
  topics,
  type FiredRule,
  type ActivationMessage,
  type FireRecord,
} from '../model/index.ts'
import type { Clock, MessageBus, Outgoing, Random, RecordTail, StateStore } from '../spi/index.ts'
import { decodeFire, encodeFire } from './fire-record.ts'
import { FireBacklog } from './fire-backlog.ts'
import { createFireIdentities } from './fire-identities.ts'
import { readFiredEvent, type FiredEvent } from './fired-event.ts'
import type { FireCall, FireService, KnownFires } from './services.ts'

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
  /** Topics and groups that hold accepted work; what an earlier process left there is part of the backlog. */
  readonly sources?: readonly { readonly topic: string; readonly group: string }[]
  /** Of each namespace: runs and bytes that may wait. */
  readonly limits?: { readonly backlogMax: number; readonly backlogBytesMax: number }
  readonly observe?: { accepted?(fire: FireRecord): void; repeated?(namespace: string): void }
}

export type FireAcceptor = FireService &
  KnownFires & {
    /** To be called before anything takes work from the topics. Resolves when fires may be accepted; what an earlier
     *  process left is counted behind that. */
    start(): Promise<void>
    /** Resolves when everything that an earlier process left has been counted. */
    counted(): Promise<void>
    /** Runs that were accepted and are not settled, over all namespaces. */
    pending(): number
    /** Runs that were settled without a record that tells it: those of an event that was accepted before. */
    settledBefore(namespace: string, runs: number): void
    prune(): Promise<number>
  }

export function createFireService(deps: FireDependencies): FireAcceptor {
  const { bus, clock, observe, random, tail } = deps
  const identities = createFireIdentities(deps.state, clock)
  const backlog = new FireBacklog()
  /** `namespace/fireId` of fires that are accepted, or about to be, and have no record of their trigger yet. */
  const unsettled = new Set<string>()
  let counting: Promise<void> = Promise.resolve()
  /** Requests under way by fire id: the same event sent twice at once is one fire. */
  const underWay = new Map<string, { digest: string; answer: Promise<{ activationId: string } | undefined> }>()

  tail.listen(({ namespace, sluice }) => {
    if (sluice === undefined) return
    if (sluice.rule !== undefined) {
      if ((sluice.round ?? 0) === 0) backlog.settle(namespace)
    } else if (sluice.runs && sluice.fireId !== undefined) {
      unsettled.delete(`${namespace}/${sluice.fireId}`)
      // Refused runs have no record of their own.
      const refused = sluice.runs.filter(run => run.refused).length
      if (refused > 0) backlog.settle(namespace, refused)
    }
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
    const runs = runsOf(rules)
    if (runs === 0) return undefined
    refuseIfTooMany(trigger.namespace)
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
    const body = Buffer.from(encodeFire(record))
    const name = `${trigger.namespace}/${fireId}`
    backlog.add(trigger.namespace, runs, body.length)
    unsettled.add(name)
    try {
      await bus.publish(topics.fires, [{ key: `${trigger.namespace}/${trigger.name}`, body }])
    } catch (error) {
      backlog.settle(trigger.namespace, runs)
      unsettled.delete(name)
      throw error
    }
    observe?.accepted?.(record)
    return { activationId: fireId }
  }

  function refuseIfTooMany(namespace: string): void {
    const { runs, bytes } = backlog.of(namespace)
    const { backlogMax, backlogBytesMax } = deps.limits ?? bounds.fire
    if (runs < backlogMax && bytes < backlogBytesMax) return
    const waiting = `${runs} runs of ${Math.round(bytes / 1024 / 1024)} MB`
    throw new SluiceError('SLUICE_BACKLOG', `${waiting} are waiting in this namespace already; try again later.`)
  }

  /** Counts what lies in the topics. A message that cannot be read is left to those who work it off. */
  async function count(messages: readonly AsyncIterable<Outgoing>[]): Promise<void> {
    for (const source of messages) {
      for await (const { body } of source) {
        const found = decodeFire(body)
        if (found) {
          unsettled.add(`${found.trigger.namespace}/${found.fireId}`)
          backlog.add(found.trigger.namespace, runsOf(found.rules), body.byteLength)
          continue
        }
        const namespace = namespaceOfRun(body)
        if (namespace !== undefined) backlog.add(namespace, 1, body.byteLength)
      }
    }
  }

  return {
    fire,
    async start() {
      await bus.ensureTopic(topics.fires, {
        partitions: bounds.bus.partitions,
        retentionMs: bounds.bus.retentionMs,
        messageBytesMax: bounds.fire.messageBytesMax,
      })
      const sources = await Promise.all((deps.sources ?? []).map(({ topic, group }) => bus.waiting(topic, group)))
      // Until then the count may be too low; if the topics cannot be read to the end, it stays so.
      counting = count(sources).then(
        () => backlog.countedAll(),
        () => backlog.countedAll(),
      )
    },
    counted: () => counting,
    pending: () => backlog.runs,
    settledBefore: (namespace, runs) => void (runs > 0 && backlog.settle(namespace, runs)),
    async known(namespace, fireId) {
      if (unsettled.has(`${namespace}/${fireId}`)) return true
      await counting
      return unsettled.has(`${namespace}/${fireId}`)
    },
    prune: () => identities.prune(),
  }
}

function runsOf(rules: readonly FiredRule[]): number {
  return rules.filter(({ decision }) => decision === 'run').length
}

/** Of a message for an invoker, when a rule made it. */
function namespaceOfRun(body: Uint8Array): string | undefined {
  try {
    const text = Buffer.from(body.buffer, body.byteOffset, body.byteLength).toString()
    const { origin, user } = parseJson(text) as ActivationMessage
    return origin.kind === 'rule' && origin.round === 0 ? user.namespace.name : undefined
  } catch {
    return undefined
  }
}
