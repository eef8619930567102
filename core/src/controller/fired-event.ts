import { createHash } from 'node:crypto'
import {
  attributesOf,
  CloudEventError,
  contentDigest,
  dataValue,
  decodeHttp,
  encodeJson,
  type CloudEvent,
} from '@sluice/cloudevents'
import { ApiError, parseJson, stringifyJson, type FireRecord } from '../model/index.ts'
import type { FireCall } from './services.ts'

/** What a fire request says: payload, attributes, identity (design.md §2, §6; events.md §1). */
export type FiredEvent = {
  /** JSON text of the object that the actions get: the data, or the whole event for input `event`. */
  readonly payload: string
  readonly wholeEvent: boolean
  readonly identity?: { readonly source: string; readonly id: string }
  readonly input?: FireRecord['input']
  readonly headers: Readonly<Record<string, string>>
  attributes(fireId: string, nowMs: number): FireRecord['event']
  /** Digest of what "same content" compares. */
  digest(): string
}

const json = { parse: parseJson, stringify: stringifyJson }

/** Throws ApiError 400 or 415 for a request that says it is a CloudEvent and is none. */
export function readFiredEvent(call: FireCall): FiredEvent {
  const event = typeof call.payload === 'string' ? undefined : decode(call, call.payload)
  const wish = inputWish(call)
  return event ? fromCloudEvent(call, event, wish ?? 'event') : fromPlainFire(call, wish)
}

function fromPlainFire(call: FireCall, wish: FireRecord['input']): FiredEvent {
  const { trigger, idempotencyKey } = call
  const payload = typeof call.payload === 'string' ? call.payload : call.payload.toString()
  const source = `urn:sluice:trigger:/${encodeURIComponent(trigger.namespace)}/${encodeURIComponent(trigger.name)}`
  return {
    payload,
    wholeEvent: false,
    ...(idempotencyKey === undefined ? {} : { identity: { source, id: idempotencyKey } }),
    ...(wish === undefined || wish === 'data' ? {} : { input: wish }),
    headers: visibleHeaders(call.headers),
    attributes: (fireId, nowMs) => ({
      specversion: '1.0',
      id: idempotencyKey ?? fireId,
      source,
      type: 'io.sluice.trigger.fired',
      time: new Date(nowMs).toISOString(),
      datacontenttype: 'application/json',
    }),
    digest: () => createHash('sha256').update(payload).digest('hex'),
  }
}

function fromCloudEvent(call: FireCall, event: CloudEvent, input: NonNullable<FireRecord['input']>): FiredEvent {
  return {
    payload: input === 'event' ? encodeJson(event, { json }) : dataObject(event),
    wholeEvent: input === 'event',
    identity: { source: event.source, id: event.id },
    input,
    headers: visibleHeaders(call.headers),
    attributes: () => attributesOf(event),
    digest: () => contentDigest(event, { json }),
  }
}

function decode(call: FireCall, body: Buffer): CloudEvent | undefined {
  try {
    return decodeHttp(call.headers, body)
  } catch (error) {
    if (!(error instanceof CloudEventError)) throw error
    throw new ApiError(error.kind === 'unsupported' ? 415 : 400, error.message, { cause: error })
  }
}

/** OpenWhisk's actions take an object: data of another form travels as a whole event only. */
function dataObject(event: CloudEvent): string {
  if (event.data === undefined) return '{}'
  if (event.data.kind !== 'json' || event.data.text === undefined) {
    const value = readable(event)
    if (isObject(value)) return event.data.kind === 'text' ? event.data.text : stringifyJson(value)
  } else if (isObject(event.data.value)) return event.data.text
  throw new ApiError(
    400,
    'The data of the event is not a JSON object; send Sluice-Input: event to give actions the whole event.',
  )
}

function readable(event: CloudEvent): unknown {
  try {
    return dataValue(event, { json })
  } catch {
    return undefined
  }
}

function isObject(value: unknown): boolean {
  return typeof value === 'object' && value !== null && !Array.isArray(value) && !(value instanceof Uint8Array)
}

function inputWish(call: FireCall): FireRecord['input'] {
  const wish = call.headers['sluice-input']
  if (wish === undefined) return undefined
  if (wish === 'event' || wish === 'data' || wish === 'legacy+ce') return wish
  throw new ApiError(400, "The header Sluice-Input must be one of 'event', 'data' and 'legacy+ce'.")
}

/** Belong to the entity, the connection's framing, or are secret (rest-api.md §7.2). */
const hidden = new Set([
  'authorization',
  'cookie',
  'proxy-authorization',
  'content-type',
  'content-length',
  'transfer-encoding',
  'x-ow-extra-logging',
])

function visibleHeaders(headers: FireCall['headers']): Record<string, string> {
  const seen: Record<string, string> = {}
  for (const [name, value] of Object.entries(headers)) {
    if (value !== undefined && !hidden.has(name)) seen[name] = Array.isArray(value) ? value.join(', ') : value
  }
  return seen
}
