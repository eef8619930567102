import { explain, type CompiledFilter } from '@sluice/cloudevents/filter'
import {
  parseJson,
  valueOf,
  type Annotations,
  type FireContent,
  type FireRecord,
  type WhiskTrigger,
} from '../model/index.ts'
import type { Clock } from '../spi/index.ts'
import { actionInput } from './action-input.ts'
import { inputFormOf, storedRuleFilter, transformOf, type AnnotationProblem } from './event-annotations.ts'
import { readFiredEvent, type FiredEvent } from './fired-event.ts'
import type { RuleFilters } from './rule-filters.ts'
import type { Explained, ExplainService, FireCall } from './services.ts'
import { transformedInput } from './transformed-input.ts'

/** Shown where a real fire would have its id. */
const noId = '0'.repeat(32)

type Explainable = FireContent & Pick<FireRecord, 'acceptedAtMs'>

/** Tells why rules do or do not run for an event (events.md §3.5). Nothing runs and nothing is stored. */
export function createExplainService({ clock, filters }: { clock: Clock; filters: RuleFilters }): ExplainService {
  async function explained(
    { trigger }: { trigger: WhiskTrigger },
    fired: FiredEvent,
    fire: Explainable,
    rule: string,
  ): Promise<Explained> {
    const { status, annotations = [] } = trigger.rules?.[rule] ?? {}
    const name = { rule: rule.slice(rule.indexOf('/') + 1), ...(status === 'inactive' ? { status } : {}) }
    const { filter, problem } = storedRuleFilter(annotations, filters.jsonata)
    if (problem !== undefined) return { ...name, matched: false, clause: unusable(annotations, problem) }
    if (filter !== undefined) {
      const clause = await failingClause(filter, fired, fire.acceptedAtMs)
      if (clause !== undefined) return { ...name, matched: false, clause }
    }
    const expression = transformOf(annotations)
    const input =
      expression === undefined
        ? actionInput(fire, inputFormOf(annotations) ?? fire.input)
        : await transformedInput(fire, expression, filters.jsonata)
    return { ...name, matched: true, input: 'problem' in input ? { error: input.problem } : parseJson(input.text) }
  }

  async function failingClause(filter: CompiledFilter, fired: FiredEvent, nowMs: number): Promise<unknown> {
    const { matched, clause } = await explain(filter, fired.subject(noId, nowMs), filters.jsonata)
    if (matched) return undefined
    return clause === undefined ? { path: '/filter' } : { ...clause, path: `/filter${clause.path}` }
  }

  function open(call: Omit<FireCall, 'identity'>): { fired: FiredEvent; fire: Explainable } {
    const nowMs = clock.nowMs()
    const fired = readFiredEvent(call)
    const fire: Explainable = {
      trigger: call.trigger,
      acceptedAtMs: nowMs,
      payload: fired.payload,
      ...(fired.wholeEvent ? { wholeEvent: true } : {}),
      headers: fired.headers,
      event: fired.attributes(noId, nowMs),
      ...(fired.input === undefined ? {} : { input: fired.input }),
    }
    return { fired, fire }
  }

  return {
    async rule(call, rule) {
      if (call.trigger.rules?.[rule] === undefined) return undefined
      const { fired, fire } = open(call)
      return explained(call, fired, fire, rule)
    },
    async trigger(call) {
      const { trigger } = call
      const { fired, fire } = open(call)
      return Promise.all(Object.keys(trigger.rules ?? {}).map(rule => explained(call, fired, fire, rule)))
    },
  }
}

/** The clause of a stored annotation that cannot be used: in no language, or it could be. */
function unusable(annotations: Annotations, { annotation, text: reason }: AnnotationProblem): object {
  const value = valueOf(annotations, annotation)
  return { path: `/${annotation}`, text: typeof value === 'string' ? value : JSON.stringify(value), reason }
}
