import { isUtf8 } from 'node:buffer'
import { createHash } from 'node:crypto'
import {
  attributesOf,
  CloudEventError,
  contentDigest,
  contentTypeOf,
  dataBytes,
  dataValue,
  decodeHttp,
  decodeHttpEvents,
  encodeJson,
  isJsonType,
  type CloudEvent,
  type DecodedEvents,
} from '@sluice/cloudevents'
import { subjectOf, subjectOfJson, type FilterSubject } from '@sluice/cloudevents/filter'
import { ApiError, parseJson, stringifyJson, type FireRecord } from '../model/index.ts'
import { inputFormOf, isInputForm, transformOf } from './event-annotations.ts'
import { malformed } from './json-body.ts'
import { scanJson } from './json-scan.ts'
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
  /** What filters look at. */
  subject(fireId: string, nowMs: number): FilterSubject
  /** Digest of what "same content" compares. */
  digest(): string
}

const json = { parse: parseJson, stringify: stringifyJson }

/** Throws ApiError 400 or 415 for a request that says it is a CloudEvent and is none. */
export function readFiredEvent(call: Omit<FireCall, 'identity'>): FiredEvent {
  const event = typeof call.payload === 'string' ? undefined : decode(call.headers, call.payload, call.rawHeaders)
  return event ? firedCloudEvent(call, event) : fromPlainFire(call, inputWish(call))
}

/** An event that was decoded already. */
export function firedCloudEvent(call: Pick<FireCall, 'trigger' | 'headers'>, event: CloudEvent): FiredEvent {
  return fromCloudEvent(call, event, inputWish(call) ?? 'event')
}

/** The one event of a request, or nothing when it is none. Throws ApiError 400 or 415. */
export function decode(
  headers: FireCall['headers'],
  body: Buffer,
  rawHeaders?: readonly string[],
): CloudEvent | undefined {
  const event = decoding(() => decodeHttp(headers, body, rawHeaders === undefined ? {} : { rawHeaders }))
  if (event !== undefined) checkData(event, headers, body)
  return event
}

/** As `decode`, also for batches. */
export function decodeAll(
  headers: FireCall['headers'],
  body: Buffer,
  rawHeaders: readonly string[],
): DecodedEvents | undefined {
  const decoded = decoding(() => decodeHttpEvents(headers, body, { rawHeaders }))
  for (const event of decoded?.events ?? []) checkData(event, headers, body)
  return decoded
}

/** The bounds of JSON bodies hold for JSON data too, which base64 or another format may have hidden from whoever checked
 *  the body: what is too deep for the records must not be accepted. */
function checkData(event: CloudEvent, headers: FireCall['headers'], body: Buffer): void {
  const { data } = event
  if (data === undefined || (data.kind === 'bytes' && data.bytes === body)) return
  const bodyWasChecked = /^[^;]*json/i.test(String(headers['content-type']))
  if (data.kind === 'json' && bodyWasChecked) return
  const type = contentTypeOf(event)
  const bytes = type !== undefined && isJsonType(type) ? dataBytes(event, { json }) : undefined
  if (bytes === undefined) return
  const refused = scanJson(Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength))
  if (refused !== undefined) throw malformed(`CloudEvent 'data': ${refused}`)
}

function decoding<T>(run: () => T): T {
  try {
    return run()
  } catch (error) {
    if (!(error instanceof CloudEventError)) throw error
    throw new ApiError(statusOf[error.kind], error.message, { cause: error })
  }
}

const statusOf = { unsupported: 415, 'too-large': 413, invalid: 400, batch: 400 } as const

/** What "same content" compares (design.md §2). */
export function digestOf(event: CloudEvent): string {
  return contentDigest(event, { json })
}

function fromPlainFire(call: Omit<FireCall, 'identity'>, wish: FireRecord['input']): FiredEvent {
  const { trigger, idempotencyKey } = call
  const payload = typeof call.payload === 'string' ? call.payload : call.payload.toString()
  const source = `urn:sluice:trigger:/${encodeURIComponent(trigger.namespace)}/${encodeURIComponent(trigger.name)}`
  const attributes: FiredEvent['attributes'] = (fireId, nowMs) => ({
    specversion: '1.0',
    id: idempotencyKey ?? fireId,
    source,
    type: 'io.sluice.trigger.fired',
    time: new Date(nowMs).toISOString(),
    datacontenttype: 'application/json',
  })
  return {
    payload,
    wholeEvent: false,
    ...(idempotencyKey === undefined ? {} : { identity: { source, id: idempotencyKey } }),
    ...(wish === undefined || wish === 'data' ? {} : { input: wish }),
    headers: visibleHeaders(call.headers),
    attributes,
    subject: (fireId, nowMs) => subjectOfJson(attributes(fireId, nowMs), payload),
    digest: () => createHash('sha256').update(payload).digest('hex'),
  }
}

function fromCloudEvent(
  call: Pick<FireCall, 'trigger' | 'headers'>,
  event: CloudEvent,
  input: NonNullable<FireRecord['input']>,
): FiredEvent {
  // A rule that wants another form than the rest can have it from the whole event only.
  const whole = input === 'event' || ownForms(call)
  return {
    payload: whole ? encodeJson(event, { json }) : dataObject(event),
    wholeEvent: whole,
    identity: { source: event.source, id: event.id },
    input,
    headers: visibleHeaders(call.headers),
    attributes: () => attributesOf(event),
    subject: () => subjectOf(event),
    digest: () => digestOf(event),
  }
}

/** The data if it is an object, else `{data}` (events.md §2): binary data as base64, text that is no JSON as text. */
function dataObject(event: CloudEvent): string {
  const { data } = event
  if (data === undefined) return '{}'
  if (data.kind === 'json' && data.text !== undefined && isObject(data.value)) return data.text
  let value: unknown
  try {
    value = dataValue(event, { json })
  } catch {
    // It is not what its content type says: then as it came.
    value = dataBytes(event)
  }
  if (isObject(value)) return data.kind === 'text' ? data.text : stringifyJson(value)
  return stringifyJson({ data: value instanceof Uint8Array ? textOrBase64(value) : value })
}

function textOrBase64(bytes: Uint8Array): string {
  const buffer = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  return buffer.toString(isUtf8(buffer) ? 'utf8' : 'base64')
}

/** Whether a rule of the trigger asks for a form of its own. */
function ownForms({ trigger }: Pick<FireCall, 'trigger'>): boolean {
  return Object.values(trigger.rules ?? {}).some(
    ({ annotations }) => inputFormOf(annotations) !== undefined || transformOf(annotations) !== undefined,
  )
}

function isObject(value: unknown): boolean {
  return typeof value === 'object' && value !== null && !Array.isArray(value) && !(value instanceof Uint8Array)
}

/** What the sender wants the actions to get. Throws ApiError 400 for a wish that nobody knows. */
export function inputWish(call: Pick<FireCall, 'headers'>): FireRecord['input'] {
  const wish = call.headers['sluice-input']
  if (wish === undefined) return undefined
  if (isInputForm(wish)) return wish
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
