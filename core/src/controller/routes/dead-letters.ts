import { ApiError, messages } from '../../model/index.ts'
import { ok, type Answer } from '../answers.ts'
import { firstName, type Call, type Route } from '../call.ts'
import { requireOwner } from '../entitlement.ts'
import type { DeadLetterService } from '../services.ts'

/** Runs whose attempts are used up (design.md §3.5). */
export function deadLetterRoutes({ deadLetters }: { deadLetters: DeadLetterService }): Route[] {
  const found = (entry: unknown): Answer => {
    if (entry === undefined) throw new ApiError(404, messages.missing)
    return ok(entry)
  }
  const owned = (call: Call): string => {
    const id = firstName(call)
    requireOwner(call.identity, call.namespace, id === '' ? call.namespace : `${call.namespace}/${id}`)
    return id
  }
  return [
    {
      method: 'GET',
      collection: 'deadletters',
      shape: 'collection',
      handle: async call => {
        owned(call)
        const skip = call.query.skip('deadletters')
        const limit = call.query.limit('deadletters')
        return ok(await deadLetters.list(call.namespace, { skip, limit }))
      },
    },
    {
      method: 'GET',
      collection: 'deadletters',
      shape: 'entity',
      handle: async call => found(await deadLetters.get(call.namespace, owned(call))),
    },
    {
      method: 'DELETE',
      collection: 'deadletters',
      shape: 'entity',
      handle: async call => found(await deadLetters.delete(call.namespace, owned(call))),
    },
  ]
}
