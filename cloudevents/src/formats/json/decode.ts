/** JSON format, reading: one event or a batch from JSON text (CloudEvents JSON format §2-4). */
import { Buffer, isUtf8 } from 'node:buffer'
import { createEvent } from '../../create-event.ts'
import { bytesData, jsonData, textData } from '../../data.ts'
import { CloudEventError } from '../../error.ts'
import type { CloudEvent, EventData, ExtensionValue } from '../../event.ts'
import { parseJson } from '../../json-codec.ts'
import { isJsonType } from '../../media-type.ts'
import { elementStarts, memberSpan } from './spans.ts'

/** One event from its JSON document. The text of `data` is kept as it is spelled. Throws CloudEventError. */
export function decodeJson(document: string | Uint8Array): CloudEvent {
  const text = textOf(document)
  return eventOf(parseJson(text, 'body'), text, 0)
}

/** The events of a JSON batch, all or none: the first broken one throws CloudEventError, whose message has its index. */
export function decodeJsonBatch(document: string | Uint8Array): CloudEvent[] {
  const text = textOf(document)
  const elements = parseJson(text, 'body')
  if (!Array.isArray(elements)) throw new CloudEventError('body', 'array')
  const starts = elementStarts(text)
  return elements.map((element: unknown, index) => {
    try {
      return eventOf(element, text, starts[index] ?? 0)
    } catch (error) {
      if (!(error instanceof CloudEventError)) throw error
      throw new CloudEventError(error.attribute, error.rule, { detail: `in event ${index} of the batch` })
    }
  })
}

/** One event from an object that has been parsed already. Throws CloudEventError. */
export function fromJsonObject(members: unknown): CloudEvent {
  return eventOf(members)
}

function textOf(document: string | Uint8Array): string {
  if (typeof document === 'string') return document
  if (!isUtf8(document)) throw new CloudEventError('body', 'utf8')
  const text = Buffer.from(document.buffer, document.byteOffset, document.byteLength).toString('utf8')
  // RFC 8259 §8.1: a reader may ignore a byte order mark.
  return text.charCodeAt(0) === 0xfeff ? text.slice(1) : text
}

type Parts = {
  specversion?: '1.0'
  id?: string
  source?: string
  type?: string
  subject?: string
  time?: string
  datacontenttype?: string
  dataschema?: string
  extensions?: Record<string, ExtensionValue>
  data?: EventData
}

/** `text` and `start` say where the object stands, if it came from text. Types are checked by createEvent. */
function eventOf(members: unknown, text?: string, start?: number): CloudEvent {
  if (typeof members !== 'object' || members === null || Array.isArray(members)) {
    throw new CloudEventError('body', 'object')
  }
  const parts: Parts = {}
  const extensions = Object.create(null) as Record<string, ExtensionValue>
  let data: unknown
  let base64: unknown
  for (const [name, value] of Object.entries(members) as [string, unknown][]) {
    if (name === 'data') data = value
    else if (value === null) continue
    else if (name === 'data_base64') base64 = value
    else if (isCore(name)) parts[name] = value as never
    else extensions[name] = value as ExtensionValue
  }
  if (parts.specversion === undefined) throw new CloudEventError('specversion', 'required')
  parts.extensions = extensions
  if (base64 !== undefined) {
    if (data !== undefined) throw new CloudEventError('data', 'data-twice')
    parts.data = bytesData(base64Bytes(base64))
  } else if (data !== undefined) {
    parts.data = dataOf(data, parts.datacontenttype, text, start)
  }
  return createEvent(parts as Required<Parts>, 'accepted')
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
function dataOf(value: unknown, type: unknown, text?: string, start?: number): EventData {
  if (typeof type === 'string' && !isJsonType(type) && typeof value === 'string') return textData(value)
  const span = text === undefined ? undefined : memberSpan(text, 'data', start)
  if (text === undefined || span === undefined) return jsonData(value)
  return { kind: 'json', value, text: text.slice(span[0], span[1]) }
}

/** Canonical base64 only: Buffer would skip what it does not know. */
function base64Bytes(value: unknown): Uint8Array {
  if (typeof value !== 'string') throw new CloudEventError('data_base64', 'string')
  const bytes = Buffer.from(value, 'base64')
  if (bytes.toString('base64') !== value) throw new CloudEventError('data_base64', 'base64')
  return bytes
}
