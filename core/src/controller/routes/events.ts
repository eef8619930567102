import { ApiError, messages, payloadBytesMax } from '../../model/index.ts'
import { knownMediaTypes } from '@sluice/cloudevents'
import type { Answer } from '../answers.ts'
import type { BodyReader } from '../body-reader.ts'
import { mediaType, type Call, type Route } from '../call.ts'
import { requireOwner } from '../entitlement.ts'
import { decodeAll, inputWish } from '../fired-event.ts'
import { malformed } from '../json-body.ts'
import { scanJson } from '../json-scan.ts'
import type { EventService } from '../services.ts'
import type { Throttle } from '../throttle.ts'

/** Events for a namespace, in any mode of the HTTP binding (events.md §2). */
export function eventRoutes(deps: { events: EventService; bodies: BodyReader; throttle: Throttle }): Route[] {
  const { events, bodies, throttle } = deps

  async function post(call: Call): Promise<Answer> {
    const { request, identity, namespace } = call
    requireOwner(identity, namespace, namespace)
    const bytes = await bodies.read(request, payloadBytesMax(identity.limits))
    const type = mediaType(request) ?? ''
    const refused = type.includes('json') ? scanJson(bytes) : undefined
    if (refused !== undefined) throw malformed(refused)
    const decoded = decodeAll(request.headers, bytes, request.rawHeaders)
    if (decoded === undefined) throw noEvent(type)
    // Refused here too, where it may be that no trigger asks for it.
    inputWish(request)
    // An event in a batch is a fire like any other.
    throttle.batch(identity, request, decoded.events.length)
    const counts = await events.accept({
      identity,
      namespace,
      events: decoded.events,
      headers: request.headers,
      transid: call.transid,
    })
    const ids = decoded.events.map(({ id, source }) => ({ id, source }))
    const body = decoded.mode === 'batched' ? { events: ids } : { ...ids[0], activations: counts[0] }
    return { status: 202, body: JSON.stringify(body) }
  }

  return [{ method: 'POST', collection: 'events', shape: 'collection', throttle: 'fire', handle: post }]
}

function noEvent(type: string): ApiError {
  if (type !== '' && type !== 'application/json') {
    const text = `${messages.unsupportedType(type).split('\n')[0]}\n${knownMediaTypes.join('\n')}`
    return new ApiError(415, text)
  }
  return new ApiError(
    400,
    'The request is no CloudEvent: it has neither the header ce-specversion nor a CloudEvents media type.',
  )
}
