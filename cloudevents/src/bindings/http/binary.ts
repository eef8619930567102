/** HTTP binding, binary mode: attributes in `ce-` headers, data in the body (HTTP binding §3.1). */
import { createEvent, emptyRecord } from '../../create-event.ts'
import { bytesData, contentTypeOf, dataBytes } from '../../data.ts'
import { CloudEventError } from '../../error.ts'
import { attributeText, optionalAttributes, type CloudEvent, type ExtensionValue } from '../../event.ts'
import type { JsonOptions } from '../../json-codec.ts'
import { decodeHeaderValue, encodeHeaderValue } from './header-value.ts'
import { checkBinaryContentType } from '../content-mode.ts'
import type { HttpContent, HttpHeaders } from './mode.ts'

export type BinaryHeaders = {
  specversion: string | undefined
  id: string | undefined
  source: string | undefined
  type: string | undefined
  subject: string | undefined
  time: string | undefined
  datacontenttype: string | undefined
  dataschema: string | undefined
  extensions: Record<string, ExtensionValue> | undefined
}

/**
 * The attributes in a message's headers, decoded but not yet checked. `rawHeaders` (name, value, name, value, as Node has
 * them) is read instead of `headers` when given: Node joins doubled headers with a comma, and only there they can be told.
 * Throws CloudEventError for doubled headers and for bad UTF-8.
 */
export function readBinaryHeaders(headers: HttpHeaders, rawHeaders?: readonly string[]): BinaryHeaders {
  const found = emptyHeaders()
  if (rawHeaders !== undefined) {
    for (let at = 0; at + 1 < rawHeaders.length; at += 2) {
      takeHeader(found, rawHeaders[at] as string, rawHeaders[at + 1] as string)
    }
  } else {
    for (const name of Object.keys(headers)) {
      const value = headers[name]
      if (typeof value === 'string') takeHeader(found, name, value)
      else if (value !== undefined) for (const one of value) takeHeader(found, name, one)
    }
  }
  return found
}

/** The event of a binary message. An empty body is no data. Throws CloudEventError. */
export function binaryEvent(found: BinaryHeaders, body: Uint8Array): CloudEvent {
  if (found.specversion === undefined) throw new CloudEventError('specversion', 'required')
  return createEvent(
    {
      specversion: found.specversion as '1.0',
      id: found.id as string,
      source: found.source as string,
      type: found.type as string,
      subject: found.subject,
      time: found.time,
      datacontenttype: found.datacontenttype,
      dataschema: found.dataschema,
      extensions: found.extensions,
      data: body.byteLength === 0 ? undefined : bytesData(body),
    },
    'accepted',
  )
}

/** Headers (lower-case names) and body. Throws CloudEventError `binary-mode` for content that is itself a CloudEvent in
 *  structured mode: its receiver would unpack the wrong one. */
export function encodeHttpBinary(event: CloudEvent, options?: JsonOptions): HttpContent {
  const headers: Record<string, string> = {
    'ce-specversion': '1.0',
    'ce-id': encodeHeaderValue(event.id),
    'ce-source': encodeHeaderValue(event.source),
    'ce-type': encodeHeaderValue(event.type),
  }
  for (const name of optionalAttributes) {
    const value = event[name]
    if (value !== undefined && name !== 'datacontenttype') headers[`ce-${name}`] = encodeHeaderValue(value)
  }
  for (const name in event.extensions)
    headers[`ce-${name}`] = encodeHeaderValue(attributeText(event.extensions[name] as ExtensionValue))
  const contentType = contentTypeOf(event)
  if (contentType !== undefined) {
    checkBinaryContentType(contentType)
    headers['content-type'] = contentType
  }
  return { headers, body: dataBytes(event, options) ?? nothing }
}

const nothing = new Uint8Array(0)

function emptyHeaders(): BinaryHeaders {
  return {
    specversion: undefined,
    id: undefined,
    source: undefined,
    type: undefined,
    subject: undefined,
    time: undefined,
    datacontenttype: undefined,
    dataschema: undefined,
    extensions: undefined,
  }
}

function takeHeader(found: BinaryHeaders, header: string, value: string): void {
  // Most headers of a request are none of ours.
  if ((header.charCodeAt(0) | 0x20) !== LETTER_C) return
  const core = coreHeaders.get(header) ?? coreHeaders.get(header.toLowerCase())
  if (core !== undefined) {
    if (found[core] !== undefined) throw new CloudEventError(core, 'doubled')
    found[core] = core === 'datacontenttype' ? value : decodeHeaderValue(value, core)
  } else if (header.charCodeAt(2) === DASH && (header.charCodeAt(1) | 0x20) === LETTER_E) {
    const name = header.slice(3).toLowerCase()
    // Must not be sent: Content-Type is where that attribute stands.
    if (name === 'datacontenttype') return
    const extensions = (found.extensions ??= emptyRecord())
    if (extensions[name] !== undefined) throw new CloudEventError(name, 'doubled')
    extensions[name] = decodeHeaderValue(value, name)
  }
}

/** Attributes of the specification by the header that carries them. */
const coreHeaders: ReadonlyMap<string, Exclude<keyof BinaryHeaders, 'extensions'>> = new Map([
  ['ce-specversion', 'specversion'],
  ['ce-id', 'id'],
  ['ce-source', 'source'],
  ['ce-type', 'type'],
  ['ce-subject', 'subject'],
  ['ce-time', 'time'],
  ['ce-dataschema', 'dataschema'],
  ['content-type', 'datacontenttype'],
])

const DASH = 0x2d
const LETTER_C = 0x63
const LETTER_E = 0x65
