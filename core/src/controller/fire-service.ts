import {
  ApiError,
  bounds,
  fireIdOf,
  messages,
  parseJson,
  SluiceError,
  topics,
  type FiredRule,
  type ActivationMessage,
  type FireRecord,
  type WhiskTrigger,
} from '../model/index.ts'
import type { Clock, MessageBus, Outgoing, Random, RecordTail, StateStore } from '../spi/index.ts'
import { createAcceptOnce, type AcceptOnce } from './accept-once.ts'
import { decodeFire, encodeFire } from './fire-record.ts'
import { FireBacklog } from './fire-backlog.ts'
import { inputFormOf, transformOf } from './event-annotations.ts'
import { createFireIdentities } from './fire-identities.ts'
import { readFiredEvent, type FiredEvent } from './fired-event.ts'
import type { FilterDecisions, RuleFilters } from './rule-filters.ts'
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
  readonly filters: RuleFilters
  /** Topics and groups that hold accepted work; what an earlier process left there is part of the backlog. */
  readonly sources?: readonly { readonly topic: string; readonly group: string }[]
  readonly limits?: Partial<FireLimits>
  readonly observe?: { accepted?(fire: FireRecord): void }
}

export type FireLimits = {
  /** Of each namespace: runs and bytes that may wait. */
  readonly backlogMax: number
  readonly backlogBytesMax: number
  /** Of each request: fires, and bytes of their records. */
  readonly requestFiresMax: number
  readonly requestBytesMax: number
}

export type FireAcceptor = FireService &
  KnownFires & {
    /** The fire record of an event, with what its rules' filters say; nothing when no rule is active. */
    plan(
      call: Omit<FireCall, 'payload'>,
      fired: FiredEvent,
      fireId: string,
    ): FireRecord | undefined | Promise<FireRecord>
    /** Makes the records that one request brings durable, all or none. Rejects with SLUICE_BACKLOG when too much waits,
     *  with ApiError 413 as soon as they are too many or too large together. */
    admit(records: Iterable<FireRecord> | AsyncIterable<FireRecord>): Promise<void>
    /** Of one table for all routes: an event is known by its addressee. */
    readonly once: AcceptOnce
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
  const limits: FireLimits = { ...bounds.fire, ...deps.limits }
  const identities = createFireIdentities(deps.state, clock)
  const once = createAcceptOnce(identities)
  const backlog = new FireBacklog()
  /** `namespace/fireId` of fires that are accepted, or about to be, and have no record of their trigger yet. */
  const unsettled = new Set<string>()
  let counting: Promise<void> = Promise.resolve()

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
    const { namespace, name } = call.trigger
    const id = fireIdOf(namespace, name, fired.identity.source, fired.identity.id)
    const [answer] = await once(namespace, [{ id, digest: fired.digest() }], async () => [
      { fired: (await accept(call, fired, id)) !== undefined },
    ])
    return answer?.fired ? { activationId: id } : undefined
  }

  async function accept(
    call: FireCall,
    fired: FiredEvent,
    fireId: string,
  ): Promise<{ activationId: string } | undefined> {
    const planning = plan(call, fired, fireId)
    const planned = planning instanceof Promise ? await planning : planning
    if (planned === undefined) return undefined
    await admit([planned])
    return { activationId: fireId }
  }

  function plan(
    call: Omit<FireCall, 'payload'>,
    fired: FiredEvent,
    fireId: string,
  ): FireRecord | undefined | Promise<FireRecord> {
    const { trigger, identity, transid } = call
    const rules = firedRules(trigger)
    // Filters decide what runs, not how the fire is answered (design.md §3.1).
    if (runsOf(rules) === 0) return undefined
    refuseIfTooMany(trigger.namespace)
    const acceptedAtMs = clock.nowMs()
    const filters = deps.filters.of(trigger)
    const decided = filters?.decide(fired.subject(fireId, acceptedAtMs))
    const record = (decisions: FilterDecisions | undefined): FireRecord => ({
      fireId,
      transid,
      trigger: {
        namespace: trigger.namespace,
        name: trigger.name,
        version: trigger.version,
        parameters: trigger.parameters,
      },
      user: identity,
      acceptedAtMs,
      payload: fired.payload,
      ...(fired.wholeEvent ? { wholeEvent: true } : {}),
      headers: fired.headers,
      event: fired.attributes(fireId, acceptedAtMs),
      ...(fired.input === undefined ? {} : { input: fired.input }),
      rules: decisions === undefined ? rules : rules.map(rule => decidedRule(rule, decisions)),
      ...(filters?.hasFilters ? { hasFilters: true } : {}),
    })
    return decided instanceof Promise ? decided.then(record) : record(decided)
  }

  async function admit(records: Iterable<FireRecord> | AsyncIterable<FireRecord>): Promise<void> {
    const taken: { record: FireRecord; body: Buffer }[] = []
    let bytes = 0
    for await (const record of records) {
      const body = Buffer.from(encodeFire(record))
      taken.push({ record, body })
      bytes += body.length
      // All of it is in memory until it is written, and a few events can fire very many triggers.
      if (taken.length > limits.requestFiresMax || bytes > limits.requestBytesMax)
        throw new ApiError(413, messages.tooManyFires)
    }
    if (taken.length === 0) return
    for (const { record, body } of taken) {
      backlog.add(record.trigger.namespace, runsOf(record.rules), body.length)
      unsettled.add(`${record.trigger.namespace}/${record.fireId}`)
    }
    try {
      await bus.publish(
        topics.fires,
        taken.map(({ record: { trigger }, body }) => ({ key: `${trigger.namespace}/${trigger.name}`, body })),
      )
    } catch (error) {
      for (const { record } of taken) {
        backlog.settle(record.trigger.namespace, runsOf(record.rules))
        unsettled.delete(`${record.trigger.namespace}/${record.fireId}`)
      }
      throw error
    }
    if (observe?.accepted) for (const { record } of taken) observe.accepted(record)
  }

  function refuseIfTooMany(namespace: string): void {
    const { runs, bytes } = backlog.of(namespace)
    if (runs < limits.backlogMax && bytes < limits.backlogBytesMax) return
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
    plan,
    admit,
    once,
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

/** The trigger's rules as they are now, before their filters are asked. */
function firedRules(trigger: WhiskTrigger): FiredRule[] {
  return Object.entries(trigger.rules ?? {}).map(([rule, { action, status, annotations }]): FiredRule => {
    const fired = {
      rule,
      action: `${action.path}/${action.name}`,
      decision: status === 'active' ? 'run' : 'inactive',
    } as const
    if (annotations === undefined) return fired
    const input = inputFormOf(annotations)
    const transform = transformOf(annotations)
    return {
      ...fired,
      ...(input === undefined ? {} : { input }),
      ...(transform === undefined ? {} : { transform }),
    }
  })
}

function decidedRule(rule: FiredRule, decisions: FilterDecisions): FiredRule {
  const decision = rule.decision === 'run' ? decisions.get(rule.rule) : undefined
  return decision === undefined ? rule : { ...rule, ...decision }
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
