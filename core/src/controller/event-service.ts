import type { CloudEvent } from '@sluice/cloudevents'
import { subjectOf } from '@sluice/cloudevents/filter'
import { childIdOf, fireIdOf, type FireRecord } from '../model/index.ts'
import { digestOf, firedCloudEvent } from './fired-event.ts'
import type { FireAcceptor } from './fire-service.ts'
import type { RuleFilters } from './rule-filters.ts'
import type { EventsCall, EventService } from './services.ts'
import type { TriggerIndex } from './trigger-index.ts'

/** The addressee of events that were sent to a namespace and not to one trigger (design.md §2); no trigger can have this
 *  name, as it could have `events`. */
const addressee = '/events'

/** Brings events to every trigger that accepts them: one durable write for all, then the answer (events.md §2, §3.4). */
export function createEventService(deps: {
  fire: Pick<FireAcceptor, 'plan' | 'admit' | 'once'>
  filters: RuleFilters
  triggers: TriggerIndex
  /** `undecided`: triggers whose filter failed with the event, or cannot be used at all. */
  observe?: { unrouted?(namespace: string): void; undecided?(namespace: string, triggers: number): void }
}): EventService {
  const { fire, filters, observe, triggers } = deps

  async function accept(call: EventsCall): Promise<readonly number[]> {
    const { events, namespace } = call
    const identified = events.map(event => ({
      id: fireIdOf(namespace, addressee, event.source, event.id),
      digest: digestOf(event),
    }))
    const answers = await fire.once(namespace, identified, async fresh => {
      const counts = new Map(fresh.map(at => [at, 0]))
      async function* records(): AsyncGenerator<FireRecord> {
        for (const at of fresh) {
          for await (const record of recordsOf(call, events[at] as CloudEvent, identified[at]?.id ?? '')) {
            counts.set(at, (counts.get(at) ?? 0) + 1)
            yield record
          }
        }
      }
      await fire.admit(records())
      return fresh.map(at => ({ fired: true, count: counts.get(at) ?? 0 }))
    })
    return answers.map(({ count }) => count ?? 0)
  }

  /** A fire record for each trigger that accepts the event and has an active rule. */
  async function* recordsOf(call: EventsCall, event: CloudEvent, eventId: string): AsyncGenerator<FireRecord> {
    const { identity, headers, transid } = call
    const { set, unusable } = await triggers.accepting(call.namespace)
    const { matched, failed } = await set.decide(subjectOf(event), filters.jsonata)
    if (matched.length === 0) observe?.unrouted?.(call.namespace)
    if (failed.length + unusable > 0) observe?.undecided?.(call.namespace, failed.length + unusable)
    for (const trigger of matched) {
      const fired = firedCloudEvent({ trigger, headers }, event)
      const id = childIdOf(eventId, trigger.name, 0)
      const record = await fire.plan({ identity, trigger, headers, transid }, fired, id)
      if (record !== undefined) yield record
    }
  }

  return { accept }
}
