import type { IncomingMessage } from 'node:http'
import { ApiError, bounds } from '../model/index.ts'
import { mediaType } from './call.ts'

/** Headers that routes look at. */

/** A client's own name for what it asks, so that asking twice does it once. Throws 400 when it is too long, or not what the
 *  header may hold: it becomes the id of an event, which has no control characters. */
export function idempotencyKey(request: IncomingMessage): { idempotencyKey?: string } {
  const key = headerText(request, 'idempotency-key')
  if (key === undefined || key === '') return {}
  if (key.length > bounds.http.idempotencyKeyLengthMax) {
    throw new ApiError(
      400,
      `Idempotency-Key longer than allowed: ${key.length} > ${bounds.http.idempotencyKeyLengthMax}.`,
    )
  }
  if (!/^[\x20-\x7e]+$/.test(key)) throw new ApiError(400, 'Idempotency-Key must have printable ASCII characters only.')
  return { idempotencyKey: key }
}

const traceGrammar = /^[0-9a-f]{2}-[0-9a-f]{32}-[0-9a-f]{16}-[0-9a-f]{2}$/

/** The caller's trace context, when it is one. */
export function traceparent(request: IncomingMessage): { traceparent?: string } {
  const text = headerText(request, 'traceparent')
  return text !== undefined && traceGrammar.test(text) ? { traceparent: text } : {}
}

export function wantsExtraLogging(request: IncomingMessage): boolean {
  return headerText(request, 'x-ow-extra-logging') === 'on'
}

const legible = /^[\x21-\x7e]+$/

/** The caller's transaction id, unless it is reserved or would not fit on a log line (rest-api.md §1.6). */
export function givenTransid(request: IncomingMessage): string | undefined {
  const id = headerText(request, 'x-request-id')
  if (id === undefined || id.startsWith('sid_') || id.length > bounds.http.transidLengthMax) return undefined
  return legible.test(id) ? id : undefined
}

/** Whether the request says that it brings a CloudEvent, or several: by a header or by its media type. */
export function isCloudEvent(request: IncomingMessage): boolean {
  return (
    request.headers['ce-specversion'] !== undefined ||
    mediaType(request)?.startsWith('application/cloudevents') === true
  )
}

/** Whether the answer may be JSON (rest-api.md §1.4). */
export function acceptsJson(request: IncomingMessage): boolean {
  const accept = request.headers.accept
  if (accept === undefined || accept === '*/*' || accept === 'application/json' || accept === '') return true
  let best = { precision: -1, wanted: false }
  for (const range of accept.split(',')) {
    const [type = '', ...parameters] = range.split(';').map(part => part.trim().toLowerCase())
    const precision = ['*/*', 'application/*', 'application/json'].indexOf(type)
    if (precision <= best.precision) continue
    const quality = parameters.find(parameter => parameter.startsWith('q='))
    best = { precision, wanted: quality === undefined || Number(quality.slice(2)) > 0 }
  }
  return best.wanted
}

function headerText(request: IncomingMessage, name: string): string | undefined {
  const value = request.headers[name]
  return Array.isArray(value) ? value[0] : value
}
