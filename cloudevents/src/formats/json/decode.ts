/** JSON format, reading: one event or a batch from JSON text (CloudEvents JSON format §2-4). */
import { Buffer, isAscii, isUtf8 } from 'node:buffer'
import { adoptEvent } from '../../create-event.ts'
import { bytesData, jsonData, textData } from '../../data.ts'
import { CloudEventError } from '../../error.ts'
import type { CloudEvent, EventData, ExtensionValue } from '../../event.ts'
import { freezeParsed } from '../../frozen.ts'
import { parseJson } from '../../json-codec.ts'
import {
  checkAttributes,
  defaultLimits,
  checkCount,
  checkDepth,
  checkSize,
  inBatch,
  limitsOf,
  type DecodeLimits,
  type Limits,
} from '../../limits.ts'
import { isJsonType } from '../../media-type.ts'
import { bufferOf } from '../../utf8.ts'
import { emptyParts, putAttribute, requireVersion } from '../parts.ts'
import { depthOf, elementStarts } from './spans.ts'
import { SpelledData } from './spelled.ts'

/** One event from its JSON document. The text of `data` is kept as it is spelled. Throws CloudEventError. */
export function decodeJson(document: string | Uint8Array, given?: DecodeLimits): CloudEvent {
  const limits = limitsOf(given)
  const text = textOf(document, limits)
  return eventOf(parseJson(text, 'body'), { text, start: 0, end: text.length, limits })
}

/** The events of a JSON batch, all or none: the first broken one throws CloudEventError, whose message has its index. */
export function decodeJsonBatch(document: string | Uint8Array, given?: DecodeLimits): CloudEvent[] {
  const limits = limitsOf(given)
  const text = textOf(document, limits)
  const elements = parseJson(text, 'body')
  if (!Array.isArray(elements)) throw new CloudEventError('body', 'array')
  checkCount(elements.length, limits)
  const starts = elementStarts(text)
  return elements.map((element: unknown, index) => {
    const start = starts[index] ?? 0
    return inBatch(index, () => eventOf(element, { text, start, end: starts[index + 1] ?? text.length, limits }))
  })
}

/** One event from an object that has been parsed already. Throws CloudEventError. */
export function fromJsonObject(members: unknown): CloudEvent {
  return eventOf(members)
}

function textOf(document: string | Uint8Array, limits: Limits): string {
  checkSize(document.length, limits)
  if (typeof document === 'string') return document
  // Most documents are ASCII, which is five times quicker to read.
  if (isAscii(document)) return bufferOf(document).toString('latin1')
  if (!isUtf8(document)) throw new CloudEventError('body', 'utf8')
  const text = bufferOf(document).toString('utf8')
  // RFC 8259 §8.1: a reader may ignore a byte order mark.
  return text.charCodeAt(0) === 0xfeff ? text.slice(1) : text
}

/** Where the object stands, if it came from text. */
type Origin = { readonly text: string; readonly start: number; readonly end: number; readonly limits: Limits }

/** Types of attributes are checked by createEvent. */
function eventOf(members: unknown, origin?: Origin): CloudEvent {
  if (typeof members !== 'object' || members === null || Array.isArray(members)) {
    throw new CloudEventError('body', 'object')
  }
  const parts = emptyParts()
  let data: unknown
  let base64: unknown
  const names = Object.keys(members)
  checkAttributes(names.length, origin?.limits ?? defaultLimits)
  for (const name of names) {
    const value = (members as Record<string, unknown>)[name]
    if (name === 'data') data = value
    else if (value === null) continue
    else if (name === 'data_base64') base64 = value
    else putAttribute(parts, name, value as ExtensionValue)
  }
  requireVersion(parts)
  if (base64 !== undefined) {
    if (data !== undefined) throw new CloudEventError('data', 'data-twice')
    parts.data = bytesData(base64Bytes(base64))
  } else if (data !== undefined) {
    parts.data = dataOf(data, parts.datacontenttype, origin)
  }
  return adoptEvent(parts)
}

/** §3.1: a string is the content itself unless the content is JSON; without a type it is JSON. */
function dataOf(value: unknown, type: unknown, origin?: Origin): EventData {
  if (typeof type === 'string' && !isJsonType(type) && typeof value === 'string') return textData(value)
  if (origin === undefined) return jsonData(value)
  const { text, start, end, limits } = origin
  if (typeof value === 'object' && value !== null) {
    // Each level takes two characters, and the event's own object is one of them.
    if (end - start > 2 * limits.depthMax) checkDepth(depthOf(text, start, end) - 1, limits)
    freezeParsed(value)
  }
  return new SpelledData(value, text, start)
}

/** Canonical base64 only: Buffer would skip what it does not know. */
function base64Bytes(value: unknown): Uint8Array {
  if (typeof value !== 'string') throw new CloudEventError('data_base64', 'string')
  const bytes = Buffer.from(value, 'base64')
  if (bytes.toString('base64') !== value) throw new CloudEventError('data_base64', 'base64')
  return bytes
}
