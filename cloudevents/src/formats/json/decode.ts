/** JSON format, reading: one event or a batch from JSON text (CloudEvents JSON format §2-4). */
import { Buffer, isUtf8 } from 'node:buffer'
import { createEvent, emptyRecord } from '../../create-event.ts'
import { bytesData, jsonData, textData } from '../../data.ts'
import { CloudEventError } from '../../error.ts'
import type { CloudEvent, EventData, ExtensionValue } from '../../event.ts'
import { freezeParsed } from '../../frozen.ts'
import { parseJson } from '../../json-codec.ts'
import { checkCount, checkDepth, checkSize, inBatch, limitsOf, type DecodeLimits, type Limits } from '../../limits.ts'
import { isJsonType } from '../../media-type.ts'
import { bufferOf } from '../../utf8.ts'
import { depthOf, elementStarts, memberSpan } from './spans.ts'

/** One event from its JSON document. The text of `data` is kept as it is spelled. Throws CloudEventError. */
export function decodeJson(document: string | Uint8Array, given?: DecodeLimits): CloudEvent {
  const limits = limitsOf(given)
  const text = textOf(document, limits)
  return eventOf(parseJson(text, 'body'), { text, start: 0, limits })
}

/** The events of a JSON batch, all or none: the first broken one throws CloudEventError, whose message has its index. */
export function decodeJsonBatch(document: string | Uint8Array, given?: DecodeLimits): CloudEvent[] {
  const limits = limitsOf(given)
  const text = textOf(document, limits)
  const elements = parseJson(text, 'body')
  if (!Array.isArray(elements)) throw new CloudEventError('body', 'array')
  checkCount(elements.length, limits)
  const starts = elementStarts(text)
  return elements.map((element: unknown, index) =>
    inBatch(index, () => eventOf(element, { text, start: starts[index] ?? 0, limits })),
  )
}

/** One event from an object that has been parsed already. Throws CloudEventError. */
export function fromJsonObject(members: unknown): CloudEvent {
  return eventOf(members)
}

function textOf(document: string | Uint8Array, limits: Limits): string {
  checkSize(document.length, limits)
  if (typeof document === 'string') return document
  if (!isUtf8(document)) throw new CloudEventError('body', 'utf8')
  const text = bufferOf(document).toString('utf8')
  // RFC 8259 §8.1: a reader may ignore a byte order mark.
  return text.charCodeAt(0) === 0xfeff ? text.slice(1) : text
}

type Parts = {
  specversion: '1.0' | undefined
  id: string | undefined
  source: string | undefined
  type: string | undefined
  subject: string | undefined
  time: string | undefined
  datacontenttype: string | undefined
  dataschema: string | undefined
  extensions: Record<string, ExtensionValue> | undefined
  data: EventData | undefined
}

/** Where the object stands, if it came from text. */
type Origin = { readonly text: string; readonly start: number; readonly limits: Limits }

/** Types of attributes are checked by createEvent. */
function eventOf(members: unknown, origin?: Origin): CloudEvent {
  if (typeof members !== 'object' || members === null || Array.isArray(members)) {
    throw new CloudEventError('body', 'object')
  }
  const parts: Parts = {
    specversion: undefined,
    id: undefined,
    source: undefined,
    type: undefined,
    subject: undefined,
    time: undefined,
    datacontenttype: undefined,
    dataschema: undefined,
    extensions: undefined,
    data: undefined,
  }
  let data: unknown
  let base64: unknown
  for (const name of Object.keys(members)) {
    const value = (members as Record<string, unknown>)[name]
    if (name === 'data') data = value
    else if (value === null) continue
    else if (name === 'data_base64') base64 = value
    else if (isCore(name)) parts[name] = value as never
    else (parts.extensions ??= emptyRecord())[name] = value as ExtensionValue
  }
  if (parts.specversion === undefined) throw new CloudEventError('specversion', 'required')
  if (base64 !== undefined) {
    if (data !== undefined) throw new CloudEventError('data', 'data-twice')
    parts.data = bytesData(base64Bytes(base64))
  } else if (data !== undefined) {
    parts.data = dataOf(data, parts.datacontenttype, origin)
  }
  return createEvent(parts as never, 'accepted')
}

function isCore(name: string): name is keyof Omit<Parts, 'extensions' | 'data'> {
  switch (name) {
    case 'specversion':
    case 'id':
    case 'source':
    case 'type':
    case 'subject':
    case 'time':
    case 'datacontenttype':
    case 'dataschema':
      return true
    default:
      return false
  }
}

/** §3.1: a string is the content itself unless the content is JSON; without a type it is JSON. */
function dataOf(value: unknown, type: unknown, origin?: Origin): EventData {
  if (typeof type === 'string' && !isJsonType(type) && typeof value === 'string') return textData(value)
  if (origin === undefined) return jsonData(value)
  const span = memberSpan(origin.text, 'data', origin.start)
  if (span === undefined) return jsonData(value)
  const text = origin.text.slice(span[0], span[1])
  if (typeof value === 'object' && value !== null) {
    checkDepth(depthOf(text), origin.limits)
    freezeParsed(value)
  }
  return { kind: 'json', value, text }
}

/** Canonical base64 only: Buffer would skip what it does not know. */
function base64Bytes(value: unknown): Uint8Array {
  if (typeof value !== 'string') throw new CloudEventError('data_base64', 'string')
  const bytes = Buffer.from(value, 'base64')
  if (bytes.toString('base64') !== value) throw new CloudEventError('data_base64', 'base64')
  return bytes
}
