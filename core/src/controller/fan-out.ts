import {
  ApiError,
  bounds,
  childIdOf,
  failures,
  isSluiceError,
  messages,
  parseJson,
  topics,
  type ActivationMessage,
  type ActivationRecord,
  type FiredRule,
  type FireRecord,
  type RecordBookkeeping,
} from '../model/index.ts'
import type {
  ActivationStore,
  Clock,
  Incoming,
  LoadBalancer,
  Logger,
  MessageBus,
  RecordTail,
  Subscription,
} from '../spi/index.ts'
import { mergeArguments } from './arguments.ts'
import { redefinesFinal } from './payload.ts'
import { actionInput } from './action-input.ts'
import type { ActionResolver, ResolvedAction } from './services.ts'

/**
 * Turns each fire record into the runs of its rules and the trigger's own record: fire record -> children -> position
 * (design.md §3.2). It reads the record, never the trigger again, and may do so twice: every id is derived.
 */
export type FanOut = { start(): Promise<void>; stop(): Promise<void>; depth(): Promise<number> }

export type FanOutDependencies = {
  readonly bus: MessageBus
  readonly activations: ActivationStore
  readonly balancer: LoadBalancer
  readonly resolver: ActionResolver
  readonly clock: Clock
  readonly log: Logger
  readonly tail: RecordTail
  readonly observe?: { fannedOut?(fire: FireRecord, counts: FanOutCounts): void }
}

/** Of one fire: runs that went to invokers, refusals, and records of runs that were too large to go. */
export type FanOutCounts = { readonly runs: number; readonly refused: number; readonly failed: number }

type Outcome = {
  readonly line: string
  readonly run?: { rule: string; activationId?: string; refused?: boolean }
  readonly message?: ActivationMessage
  readonly failed?: ActivationRecord
}

export function createFanOut(deps: FanOutDependencies): FanOut {
  const { activations, balancer, bus, clock, log, observe, resolver, tail } = deps
  let subscription: Subscription | undefined

  async function handle(incoming: Incoming): Promise<void> {
    const fire = decodeFire(incoming.body)
    const outcomes = await Promise.all(
      fire.rules.filter(rule => rule.decision !== 'filtered').map(rule => outcomeOf(fire, rule)),
    )
    const children = outcomes.flatMap(({ message }) => message ?? [])
    const records = [triggerRecord(fire, outcomes), ...outcomes.flatMap(({ failed }) => failed ?? [])]
    const writes: Promise<unknown>[] = records.map(async record => {
      if ((await activations.insert(record)) === 'inserted') tail.tell(record)
    })
    if (children.length > 0) writes.push(balancer.publish(children))
    await Promise.all(writes)
    const refused = outcomes.filter(({ run }) => run?.refused).length
    const failed = outcomes.filter(outcome => outcome.failed !== undefined).length
    observe?.fannedOut?.(fire, { runs: children.length, refused, failed })
  }

  async function outcomeOf(fire: FireRecord, rule: FiredRule): Promise<Outcome> {
    if (rule.decision === 'inactive') {
      return { line: logLine(rule, { statusCode: 1, error: messages.ruleInactive(rule.rule, rule.action) }) }
    }
    try {
      const resolved = await resolver.resolve(fire.user, nameOf(rule.action))
      return started(fire, rule, resolved)
    } catch (error) {
      // Platform trouble is no refusal: the record comes again. A refusal is what the invoke route would have answered.
      if (!(error instanceof ApiError) || error.status >= 500) throw error
      return { line: logLine(rule, { statusCode: 1, error: error.message }), run: { rule: rule.rule, refused: true } }
    }
  }

  function started(fire: FireRecord, rule: FiredRule, resolved: ResolvedAction): Outcome {
    if (resolved.action.exec.kind === 'sequence') throw new ApiError(400, 'Sequences cannot be invoked by rules yet.')
    const activationId = childIdOf(fire.fireId, ruleName(rule), 0)
    const input = actionInput(fire)
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
    const outcome = { line: logLine(rule, { activationId }), run: { rule: rule.rule, activationId } }
    // Predefined parameters can make it larger than the bus takes: settled by a whisk error (design.md §3.2).
    if (
      merged.content.length * 3 > bounds.bus.messageBytesMax &&
      Buffer.byteLength(merged.content) > bounds.bus.messageBytesMax / 2
    ) {
      return { ...outcome, failed: tooLargeRecord(fire, rule, resolved, activationId) }
    }
    return { ...outcome, message }
  }

  function triggerRecord(fire: FireRecord, outcomes: readonly Outcome[]): ActivationRecord {
    const unlisted = fire.user.limits.storeActivations === false
    const runs = outcomes.flatMap(({ run }) => run ?? [])
    const sluice: RecordBookkeeping = { fireId: fire.fireId, runs, ...(unlisted ? { unlisted } : {}) }
    return {
      namespace: fire.user.namespace.name,
      name: fire.trigger.name,
      version: fire.trigger.version,
      subject: fire.user.subject,
      activationId: fire.fireId,
      start: fire.acceptedAtMs,
      response: { statusCode: 0, result: parseJson(fire.payload) },
      logs: outcomes.map(({ line }) => line),
      annotations: [],
      publish: false,
      sluice,
    }
  }

  function tooLargeRecord(
    fire: FireRecord,
    rule: FiredRule,
    resolved: ResolvedAction,
    activationId: string,
  ): ActivationRecord {
    const now = clock.nowMs()
    return {
      namespace: fire.user.namespace.name,
      name: resolved.action.name,
      version: resolved.action.version,
      subject: fire.user.subject,
      activationId,
      start: now,
      end: now,
      duration: 0,
      response: { statusCode: 3, result: { error: failures.provision } },
      logs: [],
      annotations: [
        { key: 'path', value: resolved.id },
        { key: 'kind', value: resolved.action.exec.kind },
      ],
      publish: false,
      sluice: { fireId: fire.fireId, rule: rule.rule, round: 0 },
    }
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
        { group: 'fan-out', from: 'earliest', concurrency: bounds.fire.fanOutConcurrency, order: 'none' },
        guarded,
      )
    },
    async stop() {
      await subscription?.close()
    },
    depth: async () => (await subscription?.depth()) ?? 0,
  }
}

function decodeFire(body: Uint8Array): FireRecord {
  return parseJson(Buffer.from(body.buffer, body.byteOffset, body.byteLength).toString()) as FireRecord
}

function nameOf(action: string): { path: string; name: string } {
  const slash = action.lastIndexOf('/')
  return { path: action.slice(0, slash), name: action.slice(slash + 1) }
}

function ruleName({ rule }: FiredRule): string {
  return rule.slice(rule.indexOf('/') + 1)
}

/** One JSON line of a trigger's log, keys in OpenWhisk's order (rest-api.md §7.2). */
function logLine(rule: FiredRule, outcome: { activationId: string } | { statusCode: number; error: string }): string {
  return 'activationId' in outcome
    ? JSON.stringify({
        statusCode: 0,
        success: true,
        activationId: outcome.activationId,
        rule: rule.rule,
        action: rule.action,
      })
    : JSON.stringify({
        statusCode: outcome.statusCode,
        success: false,
        rule: rule.rule,
        error: outcome.error,
        action: rule.action,
      })
}
