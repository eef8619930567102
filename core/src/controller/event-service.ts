import type { CloudEvent } from '@sluice/cloudevents'
import { subjectOf } from '@sluice/cloudevents/filter'
import { ApiError, childIdOf, fireIdOf, messages, type FireRecord, type WhiskTrigger } from '../model/index.ts'
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
  fire: Pick<FireAcceptor, 'plan' | 'admit' | 'identities'>
  filters: RuleFilters
  triggers: TriggerIndex
  /** `undecided`: triggers whose filter failed with the event, or cannot be used at all. */
  observe?: { unrouted?(namespace: string): void; undecided?(namespace: string, triggers: number): void }
}): EventService {
  const { fire, filters, observe, triggers } = deps
  /** Requests under way by event: the same one sent twice at once is one event. */
  const underWay = new Map<string, Promise<unknown>>()

  async function accept(call: EventsCall): Promise<readonly number[]> {
    const { events, namespace } = call
    const ids = events.map(({ source, id }) => fireIdOf(namespace, addressee, source, id))
    for (let others = busy(ids); others.length > 0; others = busy(ids)) await Promise.allSettled(others)
    const work = acceptAll(call, ids)
    for (const id of ids) underWay.set(id, work)
    try {
      return await work
    } finally {
      for (const id of ids) if (underWay.get(id) === work) underWay.delete(id)
    }
  }

  function busy(ids: readonly string[]): Promise<unknown>[] {
    return ids.flatMap(id => underWay.get(id) ?? [])
  }

  async function acceptAll(call: EventsCall, ids: readonly string[]): Promise<readonly number[]> {
    const { events, namespace } = call
    const digests = events.map(digestOf)
    /** By event id: the first of the request, so that an event that it has twice counts once. */
    const first = new Map<string, number>()
    const counts: (number | undefined)[] = []
    for (const [at, id] of ids.entries()) {
      const earlier = first.get(id)
      if (earlier !== undefined) {
        if (digests[earlier] !== digests[at]) throw new ApiError(422, messages.identityConflict)
        continue
      }
      first.set(id, at)
      const known = await fire.identities.find(namespace, id)
      if (known === undefined) continue
      if (known.digest !== digests[at]) throw new ApiError(422, messages.identityConflict)
      counts[at] = known.count ?? 0
    }
    const records: FireRecord[] = []
    const fresh = [...first].filter(([, at]) => counts[at] === undefined)
    for (const [id, at] of fresh) {
      const planned = await recordsOf(call, events[at] as CloudEvent, id)
      counts[at] = planned.length
      records.push(...planned)
      if (planned.length === 0) observe?.unrouted?.(namespace)
    }
    await fire.admit(records)
    // After the records, never before: a crash in between makes the sender try again, and the ids meet.
    await Promise.all(
      fresh.map(([id, at]) => fire.identities.remember(namespace, id, digests[at] ?? '', true, counts[at] ?? 0)),
    )
    return ids.map(id => counts[first.get(id) ?? -1] ?? 0)
  }

  /** A fire record for each trigger that accepts the event and has an active rule. */
  async function recordsOf(call: EventsCall, event: CloudEvent, eventId: string): Promise<FireRecord[]> {
    const { identity, headers, transid } = call
    const { set, unusable } = await triggers.accepting(call.namespace)
    if (set.size + unusable === 0) return []
    const subject = subjectOf(event)
    const match = set.match(subject)
    const { matched, failed } = match.undecided.length === 0 ? match : await set.settle(match, subject, filters.jsonata)
    if (failed.length + unusable > 0) observe?.undecided?.(call.namespace, failed.length + unusable)
    const planned = matched.map(async (trigger: WhiskTrigger) =>
      fire.plan(
        { identity, trigger, headers, transid },
        firedCloudEvent({ trigger, headers }, event),
        childIdOf(eventId, trigger.name, 0),
      ),
    )
    return (await Promise.all(planned)).filter(record => record !== undefined)
  }

  return { accept }
}
