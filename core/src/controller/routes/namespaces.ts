import { ApiError, limitsView, type SystemLimits } from '../../model/index.ts'
import { ok } from '../answers.ts'
import type { Route } from '../call.ts'
import { requireOwner } from '../entitlement.ts'

/** Namespaces and their limits (rest-api.md §2.5, §9.3). */
export function namespaceRoutes(deps: { limits: SystemLimits }): Route[] {
  const inner = (method: Route['method']): Route => ({
    method,
    collection: 'limits',
    shape: 'entity',
    handle: () => {
      throw new ApiError(400, 'Inner entity level routes for limits are not yet implemented.', { rejection: true })
    },
  })
  return [
    { method: 'GET', collection: '', shape: 'collection', handle: call => ok([call.identity.namespace.name]) },
    {
      method: 'GET',
      collection: 'limits',
      shape: 'collection',
      handle: ({ identity, namespace }) => {
        requireOwner(identity, namespace, namespace)
        return ok(limitsView(identity.limits, deps.limits))
      },
    },
    inner('GET'),
    inner('PUT'),
    inner('POST'),
    inner('DELETE'),
  ]
}
