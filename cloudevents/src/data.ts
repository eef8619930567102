/** The payload of an event in the form in which it came, and the readings of it: bytes, JSON text, a value. */
import { Buffer, isUtf8 } from 'node:buffer'
import { CloudEventError } from './error.ts'
import type { CloudEvent, EventData } from './event.ts'
import { depthOf } from './formats/json/spans.ts'
import { freezeParsed, frozenCopy } from './frozen.ts'
import { parseJson, stringifyJson, type JsonCodec, type JsonOptions } from './json-codec.ts'
import { checkDepth, defaultLimits } from './limits.ts'
import { isJsonType, isTextType } from './media-type.ts'
import { bufferOf } from './utf8.ts'

export function bytesData(bytes: Uint8Array): EventData {
  return { kind: 'bytes', bytes }
}

/** Text is UTF-8 on every wire, whatever charset `datacontenttype` names. */
export function textData(text: string): EventData {
  return { kind: 'text', text }
}

/** A Protobuf message by its bytes and its type URL (`type.googleapis.com/package.Message`). */
export function protobufData(typeUrl: string, bytes: Uint8Array): EventData {
  return { kind: 'bytes', bytes, typeUrl }
}

/** A JSON value, of which the event keeps a frozen copy; `undefined` is none. Throws CloudEventError `depth`. */
export function jsonData(value: unknown): EventData {
  return { kind: 'json', value: frozenCopy(value) }
}

/** A JSON value from its text, whose spelling is kept. Throws CloudEventError `json` or `depth`. */
export function jsonTextData(text: string): EventData {
  const value = parseJson(text, 'data')
  checkDepth(depthOf(text), defaultLimits)
  return { kind: 'json', value: freezeParsed(value), text }
}

/** The content type that holds: the declared one, or application/json for a JSON value that has none. */
export function contentTypeOf({
  datacontenttype,
  data,
}: Pick<CloudEvent, 'datacontenttype' | 'data'>): string | undefined {
  return datacontenttype ?? (data?.kind === 'json' ? 'application/json' : undefined)
}

/** The payload as bytes, or nothing when the event has none. JSON without known text is written by `json.stringify`. */
export function dataBytes(event: CloudEvent, { json }: JsonOptions = {}): Uint8Array | undefined {
  const { data } = event
  if (data === undefined) return undefined
  if (data.kind === 'bytes') return data.bytes
  return Buffer.from(data.kind === 'text' ? data.text : jsonText(data, json))
}

/**
 * What a consumer works with: the JSON value where the content is JSON, a string where it is text in UTF-8, else bytes;
 * nothing when there is no data. Parses at each call. Throws CloudEventError `json` or `utf8` when the type declares JSON
 * and the content is none.
 */
export function dataValue(event: CloudEvent, { json }: JsonOptions = {}): unknown {
  const { data, datacontenttype } = event
  if (data === undefined) return undefined
  if (data.kind === 'json')
    return json === undefined || data.text === undefined ? data.value : parseJson(data.text, 'data', json)
  if (datacontenttype !== undefined && isJsonType(datacontenttype)) {
    const text = contentText(data)
    if (text === undefined) throw new CloudEventError('data', 'utf8')
    return parseJson(text, 'data', json)
  }
  if (data.kind === 'text') return data.text
  return (datacontenttype !== undefined && isTextType(datacontenttype) ? contentText(data) : undefined) ?? data.bytes
}

/** How the payload stands in a JSON document (JSON format §3.1): member name and JSON text. Exact for JSON content. */
export type JsonMember = { readonly name: 'data' | 'data_base64'; readonly text: string }

/** The member that carries the payload, or nothing. What its type calls JSON or text and is none goes as base64. */
export function dataMember(event: CloudEvent, { json }: JsonOptions = {}): JsonMember | undefined {
  const { data, datacontenttype } = event
  if (data === undefined) return undefined
  if (data.kind === 'json') return { name: 'data', text: jsonText(data, json) }
  if (datacontenttype !== undefined) {
    if (isJsonType(datacontenttype)) {
      const text = contentText(data)
      if (text !== undefined && isJson(text)) return { name: 'data', text }
    } else if (data.kind === 'text' || isTextType(datacontenttype)) {
      const text = contentText(data)
      if (text !== undefined) return { name: 'data', text: JSON.stringify(text) }
    }
  }
  return { name: 'data_base64', text: `"${base64(data)}"` }
}

function jsonText(data: EventData & { kind: 'json' }, json: JsonCodec | undefined): string {
  return data.text ?? stringifyJson(data.value, json)
}

/** Text of the content, or nothing when its bytes are no UTF-8. A byte order mark is kept: it is part of the bytes. */
export function contentText(data: EventData & { kind: 'bytes' | 'text' }): string | undefined {
  if (data.kind === 'text') return data.text
  return isUtf8(data.bytes) ? bufferOf(data.bytes).toString('utf8') : undefined
}

function base64(data: EventData & { kind: 'bytes' | 'text' }): string {
  return (data.kind === 'text' ? Buffer.from(data.text) : bufferOf(data.bytes)).toString('base64')
}

function isJson(text: string): boolean {
  try {
    JSON.parse(text)
    return true
  } catch {
    return false
  }
}
