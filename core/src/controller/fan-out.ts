import {
  ApiError,
  bounds,
  childIdOf,
  failures,
  groups,
  isSluiceError,
  messages,
  SluiceError,
  topics,
  type ActivationMessage,
  type ActivationRecord,
  type FiredRule,
  type FireRecord,
} from '../model/index.ts'
import type {
  ActivationStore,
  Clock,
  Incoming,
  LoadBalancer,
  Logger,
  MessageBus,
  RecordTail,
  StateStore,
  Subscription,
} from '../spi/index.ts'
import { mergeArguments } from './arguments.ts'
import { redefinesFinal } from './payload.ts'
import { actionInput } from './action-input.ts'
import { decodeFire } from './fire-record.ts'
import { deadRunRecord, logLine, triggerRecord, unsentRecord, type RunEntry } from './fan-out-records.ts'
import type { RuleFilters } from './rule-filters.ts'
import type { ActionResolver, ResolvedAction } from './services.ts'
import { transformedInput } from './transformed-input.ts'

/**
 * Turns each fire record into the runs of its rules and the trigger's own record: fire record -> children -> position
 * (design.md §3.2). It reads the record, never the trigger again, and may do so twice: every id is derived. Each rule is
 * decided for itself: one that cannot be decided holds up neither its neighbours nor other fires, and ends as a dead
 * letter (reliability.md §6.2.5, §6.5.2).
 */
export type FanOut = { start(): Promise<void>; stop(): Promise<void>; depth(): Promise<number> }

export type FanOutDependencies = {
  readonly bus: MessageBus
  readonly activations: ActivationStore
  /** For dead letters. */
  readonly state: StateStore
  readonly balancer: LoadBalancer
  readonly resolver: ActionResolver
  readonly clock: Clock
  readonly log: Logger
  readonly tail: RecordTail
  readonly jsonata: RuleFilters['jsonata']
  readonly observe?: {
    fannedOut?(fire: FireRecord, counts: FanOutCounts): void
    /** A message that could not be worked off went to the quarantine. */
    quarantined?(): void
  }
}

/**
 * Of one fire: runs that went to invokers, refusals, and records of runs that did not get there: too large, or (counted
 * again as `deadLettered`) without a decision in all attempts. `repeated`: runs that had their record already, because
 * the same event was accepted again after its identity was forgotten.
 */
export type FanOutCounts = {
  readonly runs: number
  readonly refused: number
  readonly failed: number
  readonly deadLettered: number
  /** Of the failed ones: those whose transform failed, which is an error of their developer. */
  readonly untransformed: number
  readonly repeated: number
}

type Outcome = {
  readonly rule: FiredRule
  readonly line: string
  readonly run?: RunEntry
  readonly message?: ActivationMessage
  readonly failed?: ActivationRecord
}
type Undecided = { readonly rule: FiredRule; readonly error: unknown }

/** A fire that could not be handled completely: how often it was tried, and which of its runs are on the bus. */
type Trouble = { attempts: number; readonly sinceMs: number; readonly sent: Set<string> }

export function createFanOut(deps: FanOutDependencies): FanOut {
  const { activations, balancer, bus, clock, log, observe, resolver, state, tail } = deps
  /** By position. The bus bounds how many messages wait for another attempt. */
  const troubles = new Map<string, Trouble>()
  let subscription: Subscription | undefined

  async function handle(incoming: Incoming): Promise<void> {
    const fire = decodeFire(incoming.body)
    if (!fire) return setAside(incoming)
    try {
      await fanOut(fire, incoming.position)
      if (troubles.size > 0) troubles.delete(incoming.position)
    } catch (error) {
      // Runs that are stuck have become dead letters by now: it is the fire itself that cannot be worked off.
      if (isUsedUp(troubles.get(incoming.position), error)) return setAside(incoming)
      noteTrouble(incoming.position, error)
      throw error
    }
  }

  async function fanOut(fire: FireRecord, position: string): Promise<void> {
    const trouble = troubles.get(position)
    const rules = fire.rules.filter(rule => rule.decision !== 'filtered')
    const decided = await Promise.all(rules.map(rule => outcomeOf(fire, rule)))
    let outcomes = decided.filter((decision): decision is Outcome => 'line' in decision)
    const undecided = decided.filter((decision): decision is Undecided => !('line' in decision))
    if (undecided.length > 0 || trouble) {
      const stuck = await sendThoseThatGo(outcomes, trouble ?? begin(position))
      stuck.push(...undecided)
      const first = stuck[0]
      if (first) {
        if (!isUsedUp(trouble, first.error)) throw first.error
        const dead = new Map<FiredRule, Outcome>()
        for (const { rule, error } of stuck) dead.set(rule, await deadLetter(fire, rule, error, trouble.attempts + 1))
        outcomes = rules.flatMap(rule => dead.get(rule) ?? outcomes.find(outcome => outcome.rule === rule) ?? [])
      }
    }
    await conclude(fire, outcomes, trouble !== undefined || undecided.length > 0)
  }

  /** Writes the records and, unless that was `sent` before, the runs: on the usual way in one batch. */
  async function conclude(fire: FireRecord, outcomes: readonly Outcome[], sent: boolean): Promise<void> {
    const children = outcomes.flatMap(({ message }) => message ?? [])
    const runs = outcomes.flatMap(({ run }) => run ?? [])
    const failed = outcomes.flatMap(outcome => outcome.failed ?? [])
    const lines = outcomes.map(({ line }) => line)
    const [trigger, ...others] = [triggerRecord(fire, lines, runs), ...failed].map(insert)
    const writes: Promise<unknown>[] = others
    if (children.length > 0 && !sent) writes.push(balancer.publish(children))
    const isNew = await trigger
    await Promise.all(writes)
    observe?.fannedOut?.(fire, {
      runs: children.length,
      refused: isNew ? runs.filter(({ refused }) => refused).length : 0,
      failed: failed.length,
      deadLettered: failed.filter(({ sluice }) => sluice?.deadLettered).length,
      untransformed: failed.filter(({ response }) => response.statusCode === 2).length,
      repeated: isNew ? 0 : await recorded(fire, children),
    })
  }

  async function insert(record: ActivationRecord): Promise<boolean> {
    const isNew = (await activations.insert(record)) === 'inserted'
    if (isNew) tail.tell(record)
    return isNew
  }

  async function recorded(fire: FireRecord, children: readonly ActivationMessage[]): Promise<number> {
    const namespace = fire.user.namespace.name
    const found = await Promise.all(children.map(({ activationId }) => activations.get(namespace, activationId)))
    return found.filter(record => record !== undefined).length
  }

  /** Puts the runs that are ready on the bus, each for itself; gives those that the bus would not take. */
  async function sendThoseThatGo(outcomes: readonly Outcome[], { sent }: Trouble): Promise<Undecided[]> {
    const stuck: Undecided[] = []
    for (const { rule, message } of outcomes) {
      if (!message || sent.has(rule.rule)) continue
      try {
        await balancer.publish([message])
        sent.add(rule.rule)
      } catch (error) {
        stuck.push({ rule, error })
      }
    }
    return stuck
  }

  function begin(position: string): Trouble {
    const trouble: Trouble = { attempts: 0, sinceMs: clock.monotonicMs(), sent: new Set() }
    troubles.set(position, trouble)
    return trouble
  }

  function noteTrouble(position: string, error: unknown): void {
    if (isSluiceError(error, 'SLUICE_CLOSED')) return
    const trouble = troubles.get(position) ?? begin(position)
    trouble.attempts++
  }

  /** What says that it will pass has hours; anything else as many attempts as a run, over more than a moment. */
  function isUsedUp(trouble: Trouble | undefined, error: unknown): trouble is Trouble {
    if (!trouble) return false
    const elapsedMs = clock.monotonicMs() - trouble.sinceMs
    if (elapsedMs > bounds.invoker.attemptElapsedMsMax) return true
    if (error instanceof SluiceError && error.retryable) return false
    return trouble.attempts + 1 >= bounds.invoker.attemptsMax && elapsedMs >= bounds.fire.fanOutTriesMs
  }

  async function outcomeOf(fire: FireRecord, rule: FiredRule): Promise<Outcome | Undecided> {
    if (rule.decision === 'inactive') {
      return { rule, line: logLine(rule, { statusCode: 1, error: messages.ruleInactive(rule.rule, rule.action) }) }
    }
    try {
      const resolved = await resolver.resolve(fire.user, nameOf(rule.action))
      return await started(fire, rule, resolved)
    } catch (error) {
      // Platform trouble is no refusal: the record comes again. A refusal is what the invoke route would have answered.
      if (!(error instanceof ApiError) || error.status >= 500) return { rule, error }
      const line = logLine(rule, { statusCode: 1, error: error.message })
      return { rule, line, run: { rule: rule.rule, refused: true } }
    }
  }

  async function started(fire: FireRecord, rule: FiredRule, resolved: ResolvedAction): Promise<Outcome> {
    if (resolved.action.exec.kind === 'sequence') throw new ApiError(400, 'Sequences cannot be invoked by rules yet.')
    const activationId = runIdOf(fire, rule)
    const outcome = { rule, line: logLine(rule, { activationId }), run: { rule: rule.rule, activationId } }
    const unsent = (response: ActivationRecord['response']): Outcome => ({
      ...outcome,
      failed: unsentRecord(fire, rule, resolved, activationId, clock.nowMs(), response),
    })
    const input =
      rule.transform === undefined
        ? actionInput(fire, rule.input)
        : await transformedInput(fire, rule.transform, deps.jsonata)
    if ('problem' in input) return unsent({ statusCode: 2, result: { error: input.problem } })
    if (redefinesFinal(resolved.action, resolved.parameters, input.keys))
      throw new ApiError(400, messages.finalParameters)
    const merged = mergeArguments(resolved, input.text, input.keys)
    const message: ActivationMessage = {
      activationId,
      transid: fire.transid,
      action: { id: resolved.id, version: resolved.action.version, revision: resolved.revision },
      ...(resolved.binding === undefined ? {} : { binding: resolved.binding }),
      user: fire.user,
      blocking: false,
      ...merged,
      acceptedAtMs: fire.acceptedAtMs,
      origin: { kind: 'rule', fireId: fire.fireId, rule: rule.rule, round: 0 },
      ...(typeof fire.event.traceparent === 'string' ? { traceparent: fire.event.traceparent } : {}),
    }
    // Predefined parameters can make it larger than the bus takes.
    if (
      merged.content.length * 3 > bounds.bus.messageBytesMax &&
      Buffer.byteLength(merged.content) > bounds.bus.messageBytesMax / 2
    ) {
      return unsent({ statusCode: 3, result: { error: failures.provision } })
    }
    return { ...outcome, message }
  }

  /** Keeps the fire with the one rule, so that the run can be made up for, and settles the run by a whisk error. */
  async function deadLetter(fire: FireRecord, rule: FiredRule, error: unknown, attempts: number): Promise<Outcome> {
    const activationId = runIdOf(fire, rule)
    const atMs = clock.nowMs()
    const letter = {
      id: activationId,
      activationId,
      fireId: fire.fireId,
      rule: rule.rule,
      action: rule.action,
      reason: error instanceof SluiceError ? error.message : failures.actionFetch,
      attempts,
      atMs,
      fire: { ...fire, rules: [rule] },
    }
    await state.put(`deadletters/${fire.user.namespace.name}/${activationId}`, letter, 'any')
    log.error({ err: error, fireId: fire.fireId, rule: rule.rule, attempts }, 'rule could not be fired; dead letter')
    return {
      rule,
      line: logLine(rule, { statusCode: 3, error: failures.provision }),
      run: { rule: rule.rule, activationId },
      failed: deadRunRecord(fire, rule, activationId, atMs, attempts),
    }
  }

  /** What cannot be worked off is kept elsewhere, and the ones behind it go on (reliability.md §6.2.5). */
  async function setAside({ body, headers, key, position }: Incoming): Promise<void> {
    const origin = { 'sluice-topic': topics.fires, 'sluice-position': position }
    await bus.publish(topics.quarantine, [
      { ...(key === undefined ? {} : { key }), headers: { ...headers, ...origin }, body },
    ])
    troubles.delete(position)
    observe?.quarantined?.()
    log.error({ position }, 'a message of the fires topic could not be worked off; it was set aside')
  }

  async function guarded(incoming: Incoming): Promise<void> {
    try {
      await handle(incoming)
    } catch (error) {
      if (!isSluiceError(error, 'SLUICE_CLOSED'))
        log.error({ err: error, position: incoming.position }, 'fan-out failed; the fire will be tried again')
      throw error
    }
  }

  return {
    async start() {
      subscription = await bus.subscribe(
        topics.fires,
        { group: groups.fanOut, from: 'earliest', concurrency: bounds.fire.fanOutConcurrency, order: 'none' },
        guarded,
      )
    },
    async stop() {
      await subscription?.close()
      troubles.clear()
    },
    depth: async () => (await subscription?.depth()) ?? 0,
  }
}

function runIdOf(fire: FireRecord, rule: FiredRule): string {
  return childIdOf(fire.fireId, ruleName(rule), 0)
}

function nameOf(action: string): { path: string; name: string } {
  const slash = action.lastIndexOf('/')
  return { path: action.slice(0, slash), name: action.slice(slash + 1) }
}

function ruleName({ rule }: FiredRule): string {
  return rule.slice(rule.indexOf('/') + 1)
}
