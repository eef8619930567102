import { ApiError, messages } from '../model/index.ts'
import type { FireIdentities } from './fire-identities.ts'

/**
 * Accepts events of known identity once (events.md §2, design.md §2): an event that was accepted within a day has the same
 * answer again and is not accepted anew; with other content it is refused. All events of a request or none.
 */
export type AcceptOnce = (
  namespace: string,
  events: readonly IdentifiedEvent[],
  /** Makes new events durable, given by their places in the list, all or none; tells how each is answered. */
  accept: (fresh: readonly number[]) => Promise<readonly EventAnswer[]>,
) => Promise<readonly EventAnswer[]>

export type IdentifiedEvent = {
  /** Of the event and its addressee. */
  readonly id: string
  /** Of what "same content" compares. */
  readonly digest: string
}

/** `fired`: something ran. `count`: of an event that was sent to the namespace, the triggers that it fired. */
export type EventAnswer = { readonly fired: boolean; readonly count?: number }

/** Throws ApiError 422 for an event with the identity of another one. */
export function createAcceptOnce(identities: FireIdentities): AcceptOnce {
  /** Requests under way by event: the same one sent twice at once is one event. */
  const underWay = new Map<string, Promise<unknown>>()

  async function acceptAll(...[namespace, events, accept]: Parameters<AcceptOnce>): Promise<readonly EventAnswer[]> {
    /** By id: where it stands first, so that an event that a request has twice counts once. */
    const first = new Map<string, number>()
    const answers = new Map<string, EventAnswer>()
    for (const [at, { id, digest }] of events.entries()) {
      const earlier = events[first.get(id) ?? -1]
      const known = earlier ? undefined : await identities.find(namespace, id)
      if ((earlier ?? known ?? { digest }).digest !== digest) throw new ApiError(422, messages.identityConflict)
      if (earlier) continue
      first.set(id, at)
      if (known) answers.set(id, known)
    }
    const fresh = [...first].filter(([id]) => !answers.has(id)).map(([, at]) => at)
    const accepted = fresh.length === 0 ? [] : await accept(fresh)
    // After the records, never before: a crash in between makes the sender try again, and the ids meet.
    await Promise.all(
      accepted.map(async (answer, number) => {
        const { id, digest } = events[fresh[number] ?? -1] as IdentifiedEvent
        answers.set(id, answer)
        await identities.remember(namespace, id, digest, answer.fired, answer.count)
      }),
    )
    return events.map(({ id }) => answers.get(id) as EventAnswer)
  }

  return async (namespace, events, accept) => {
    const busy = (): Promise<unknown>[] => events.flatMap(({ id }) => underWay.get(id) ?? [])
    for (let others = busy(); others.length > 0; others = busy()) await Promise.allSettled(others)
    const work = acceptAll(namespace, events, accept)
    for (const { id } of events) underWay.set(id, work)
    try {
      return await work
    } finally {
      for (const { id } of events) if (underWay.get(id) === work) underWay.delete(id)
    }
  }
}
