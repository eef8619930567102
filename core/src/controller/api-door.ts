import type { IncomingMessage } from 'node:http'
import { answerWebhookHandshake } from '@sluice/cloudevents'
import { ApiError, bounds, messages, type Identity } from '../model/index.ts'
import { ok, plain, type Answer } from './answers.ts'
import type { Authenticator } from './authentication.ts'
import type { Query as QueryType } from './query.ts'
import { Query } from './query.ts'
import { acceptsJson } from './request-headers.ts'
import type { RouteTable } from './route-table.ts'
import type { Throttle } from './throttle.ts'

/** Everything below `/api/v1`: who calls, which route, may it be now (rest-api.md §1.10). */
export interface ApiDoor {
  /** `path` begins after `/api/v1`. At once when nothing has to be waited for. Throws or rejects with ApiError. */
  serve(request: IncomingMessage, path: string, query: string, transid: string): Answer | Promise<Answer>
}

export function createApiDoor(deps: {
  authenticator: Authenticator
  routes: RouteTable
  throttle: Throttle
  /** What a sender of events is granted at most, if the installation has a limit for all. */
  firesPerMinute: number | undefined
  info: object
}): ApiDoor {
  const { authenticator, routes, throttle, firesPerMinute, info } = deps

  function enter(
    request: IncomingMessage,
    path: string,
    query: QueryType,
    transid: string,
    identity: Identity,
  ): Answer | Promise<Answer> {
    const { route, namespace, names } = routes.match(request.method ?? '', path, identity.namespace.name)
    if (route.json !== false && !acceptsJson(request)) throw notAcceptable()
    if (route.throttle !== undefined) throttle[route.throttle](identity, request)
    return route.handle({ request, transid, identity, namespace, names, query })
  }

  return {
    serve(request, path, queryText, transid) {
      if (request.method === 'OPTIONS') return handshake(request, path, firesPerMinute) ?? plain('OK')
      if (request.method === 'GET' && (path === '' || path === '/')) {
        if (!acceptsJson(request)) throw notAcceptable()
        return ok(info)
      }
      if (Number(request.headers['content-length'] ?? 0) > bounds.http.bodyBytesMax) throw new ApiError(413, '')
      const identity = authenticator.authenticate(request.headers.authorization)
      const query = new Query(queryText)
      return identity instanceof Promise
        ? identity.then(known => enter(request, path, query, transid, known))
        : enter(request, path, query, transid, identity)
    },
  }
}

/** A sender asks whether it may deliver events here (events.md §2; WebHook specification §4). */
function handshake(request: IncomingMessage, path: string, rate: number | undefined): Answer | undefined {
  if (!/^\/namespaces\/[^/]+\/(events\/?|triggers\/[^/]+)$/.test(path)) return undefined
  // The specification knows no rate of nothing.
  const limit = rate === undefined ? {} : { rate: Math.max(1, rate) }
  const answer = answerWebhookHandshake(request.headers, { origins: ['*'], ...limit })
  return answer && { status: 200, headers: answer.headers }
}

function notAcceptable(): ApiError {
  return new ApiError(406, messages.notAcceptable, { rejection: true })
}
