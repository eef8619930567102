import {
  ApiError,
  bounds,
  messages,
  payloadBytesMax,
  type RuntimesManifest,
  type WhiskTrigger,
} from '../../model/index.ts'
import type { ArtifactStore } from '../../spi/index.ts'
import { ok, type Answer } from '../answers.ts'
import type { BodyReader } from '../body-reader.ts'
import { firstName, mediaType, requireJson, type Call, type Route } from '../call.ts'
import { requireOwner } from '../entitlement.ts'
import type { EntityCache } from '../entity-cache.ts'
import { entityOf } from '../entity-documents.ts'
import { parseCommonFields, parseSizedFields } from '../entity-body.ts'
import { triggerSummary, triggerView } from '../entity-views.ts'
import { malformed, parsePayload } from '../json-body.ts'
import { scanJson } from '../json-scan.ts'
import { listAnswer } from '../list-answer.ts'
import { idempotencyKey, isCloudEvent } from '../request-headers.ts'
import type { ExplainService, FireService } from '../services.ts'
import type { TriggerService } from '../trigger-service.ts'
import { accepted } from './actions.ts'

/** Triggers: kept, listed, fired (rest-api.md §7.1, §7.2). */
export function triggerRoutes(deps: {
  artifacts: ArtifactStore
  triggers: TriggerService
  cache: EntityCache
  fire: FireService
  explain: ExplainService
  bodies: BodyReader
  manifest: RuntimesManifest
}): Route[] {
  const { artifacts, triggers, cache, fire, bodies, manifest } = deps

  async function put(call: Call): Promise<Answer> {
    const id = ownId(call)
    const bytes = await bodies.read(call.request, bounds.http.bodyBytesMax)
    requireJson(call.request, bytes, false)
    const body = parseSizedFields(bytes, call.identity, manifest)
    const overwrite = call.query.boolean('overwrite')
    const common = parseCommonFields(body.fields)
    const name = id.slice(call.namespace.length + 1)
    return ok(triggerView(await triggers.put({ namespace: call.namespace, name, overwrite, body, common })))
  }

  async function get(call: Call): Promise<Answer> {
    return ok(triggerView(await triggers.get(ownId(call))))
  }

  async function remove(call: Call): Promise<Answer> {
    return ok(triggerView(await triggers.delete(ownId(call))))
  }

  function list(call: Call): Promise<Answer> {
    requireOwner(call.identity, call.namespace, call.namespace)
    return listAnswer<WhiskTrigger>(artifacts, call, 'trigger', { namespace: call.namespace }, triggerSummary)
  }

  async function post(call: Call): Promise<Answer> {
    const { request, identity } = call
    const id = ownId(call)
    const reading = bodies.read(request, payloadBytesMax(identity.limits))
    const bytes = reading instanceof Promise ? await reading : reading
    const payload = payloadOf(call, bytes)
    const found = cache.get(id)
    const stored = found instanceof Promise ? await found : found
    if (stored === undefined) throw new ApiError(404, messages.missing)
    const fired = await fire.fire({
      identity,
      trigger: entityOf<WhiskTrigger>(stored, 'trigger'),
      payload,
      headers: request.headers,
      rawHeaders: request.rawHeaders,
      transid: call.transid,
      ...idempotencyKey(request),
    })
    return fired === undefined ? { status: 204 } : accepted(fired.activationId)
  }

  async function explain(call: Call): Promise<Answer> {
    const { request } = call
    const stored = await cache.get(ownId(call))
    if (stored === undefined) throw new ApiError(404, messages.missing)
    const bytes = await bodies.read(request, payloadBytesMax(call.identity.limits))
    return ok(
      await deps.explain.trigger({
        trigger: entityOf<WhiskTrigger>(stored, 'trigger'),
        payload: payloadOf(call, bytes),
        headers: request.headers,
        rawHeaders: request.rawHeaders,
        transid: call.transid,
      }),
    )
  }

  return [
    { method: 'POST', collection: 'triggers', shape: { below: 'explain' }, handle: explain },
    { method: 'GET', collection: 'triggers', shape: 'collection', handle: list },
    { method: 'GET', collection: 'triggers', shape: 'entity', handle: get },
    { method: 'PUT', collection: 'triggers', shape: 'entity', handle: put },
    { method: 'DELETE', collection: 'triggers', shape: 'entity', handle: remove },
    { method: 'POST', collection: 'triggers', shape: 'entity', throttle: 'fire', handle: post },
  ]
}

/** Nobody but the owner has anything to do with a trigger. */
function ownId(call: Call): string {
  const id = `${call.namespace}/${firstName(call)}`
  requireOwner(call.identity, call.namespace, id)
  return id
}

/** CloudEvents keep their bytes: their data need not be JSON (design.md §6). */
export function payloadOf({ request }: Call, bytes: Buffer): string | Buffer {
  if (!isCloudEvent(request)) {
    requireJson(request, bytes, true)
    return parsePayload(bytes).text
  }
  const refused = mediaType(request)?.includes('json') ? scanJson(bytes) : undefined
  if (refused !== undefined) throw malformed(refused)
  return bytes
}
