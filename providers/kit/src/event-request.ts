import { createHash } from 'node:crypto'
import { encodeHeaderValue } from '@sluice/cloudevents'
import { bounds } from '@sluice/core/model'
import type { CommonParameters } from './common-parameters.ts'
import type { FeedEvent } from './feed.ts'

/** One event as the request that fires it (feeds.md §4.1); the same bytes on every attempt. */
export type EventRequest = {
  readonly headers: Readonly<Record<string, string>>
  readonly body: string
  readonly bytes: number
}

/** Which core answers: a Sluice hub composes what the action sees from the attributes (`Sluice-Input`); any other core
 *  gets it in the body. */
export type CoreDialect = 'sluice' | 'openwhisk'

/** Builds the request of one event. Pure: the event carries everything, so that a repeat is byte for byte the same. */
export function eventRequest(
  event: FeedEvent,
  trigger: { namespace: string; trigger: string },
  format: CommonParameters['eventFormat'],
  dialect: CoreDialect,
): EventRequest {
  const attributes = attributesOf(event, trigger)
  const identity = createHash('sha256').update(`${event.source}\u241f${event.id}`).digest('hex')
  const common = { 'idempotency-key': `"${identity}"`, 'x-request-id': identity.slice(0, 32) }
  const traceparent = `00-${identity.slice(0, 32)}-${identity.slice(32, 48)}-01`
  const structured = format === 'cloudevents' && dialect === 'openwhisk'
  const content = structured
    ? { ...attributes, traceparent, datacontenttype: 'application/json', data: event.data }
    : format === 'legacy+ce' && dialect === 'openwhisk'
      ? withAttributes(event.data, { ...attributes, traceparent })
      : event.data
  const body = JSON.stringify(content)
  return {
    headers: {
      ...common,
      traceparent,
      ...(structured ? {} : binaryHeaders({ ...attributes, traceparent })),
      ...(dialect === 'sluice' ? { 'sluice-input': inputs[format] } : {}),
    },
    body,
    bytes: Buffer.byteLength(body),
  }
}

const inputs = { legacy: 'data', 'legacy+ce': 'legacy+ce', cloudevents: 'event' } as const

/** Context attributes in their canonical text or type; order is fixed. */
export function attributesOf(
  event: FeedEvent,
  trigger: { namespace: string; trigger: string },
): Record<string, string | number | boolean> {
  return {
    specversion: '1.0',
    id: clean(event.id),
    source: clean(event.source),
    type: clean(event.type),
    ...(event.subject === undefined ? {} : { subject: clean(event.subject) }),
    time: new Date(event.timeMs).toISOString(),
    recordedtime: new Date(event.recordedAtMs).toISOString(),
    owtrigger: `/${trigger.namespace}/${trigger.trigger}`,
    ...Object.fromEntries(
      Object.entries(event.attributes ?? {}).map(([name, value]) => [
        name,
        typeof value === 'string' ? clean(value) : value,
      ]),
    ),
  }
}

/** `ce` beside the payload's own keys, `__ce` where it has that one. */
function withAttributes(data: unknown, attributes: object): object {
  const payload = data as Record<string, unknown>
  return { ...payload, [Object.hasOwn(payload, 'ce') ? '__ce' : 'ce']: attributes }
}

/** Longer ones are cut in headers only, and said to be (feeds.md §4.1). */
const cuttable = ['subject', 'partitionkey']

function binaryHeaders(attributes: Record<string, string | number | boolean>): Record<string, string> {
  const headers = Object.fromEntries(
    Object.entries(attributes).map(([name, value]) => [`ce-${name}`, encodeHeaderValue(String(value))]),
  )
  let size = sizeOf(headers)
  for (const name of cuttable) {
    const value = headers[`ce-${name}`]
    if (size <= bounds.feeds.headerBytesMax || value === undefined) continue
    const keep = Math.max(0, value.length - (size - bounds.feeds.headerBytesMax) - 32)
    headers[`ce-${name}`] = beginningOf(value, keep)
    headers['ce-sluicetrunc'] = '1'
    size = sizeOf(headers)
  }
  return headers
}

/** Of an encoded value: never half an escape, and never half a character, for which a hub would refuse the whole event. */
function beginningOf(value: string, length: number): string {
  const text = value.slice(0, length).replace(/%.?$/, '')
  // A character has at most four escapes of three letters.
  return [0, 3, 6, 9].map(cut => text.slice(0, text.length - cut)).find(isDecodable) ?? ''
}

function isDecodable(value: string): boolean {
  try {
    decodeURIComponent(value)
    return true
  } catch {
    return false
  }
}

function sizeOf(headers: Record<string, string>): number {
  return Object.entries(headers).reduce((sum, [name, value]) => sum + name.length + value.length + 4, 0)
}

/** Attribute strings hold no control characters and no half surrogate pairs. */
function clean(text: string): string {
  return text.replace(/[\u0000-\u001f\u007f-\u009f]/g, '\ufffd').replace(/\p{Surrogate}/gu, '\ufffd')
}
