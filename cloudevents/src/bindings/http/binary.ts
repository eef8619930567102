/** HTTP binding, binary mode: attributes in `ce-` headers, data in the body (HTTP binding §3.1). */
import { adoptEvent, type LooseParts } from '../../create-event.ts'
import { bytesData, contentTypeOf, dataBytes } from '../../data.ts'
import { attributeText, optionalAttributes, type CloudEvent, type ExtensionValue } from '../../event.ts'
import { emptyParts, requireVersion, takeAttribute } from '../../formats/parts.ts'
import type { JsonOptions } from '../../json-codec.ts'
import { decodeHeaderValue, encodeHeaderValue } from './header-value.ts'
import { checkBinaryContentType } from '../content-mode.ts'
import type { HttpContent, HttpHeaders } from './mode.ts'

/**
 * The attributes in a message's headers, decoded but not yet checked. `rawHeaders` (name, value, name, value, as Node has
 * them) is read instead of `headers` when given: Node joins doubled headers with a comma, and only there they can be told.
 * Throws CloudEventError for doubled headers and for bad UTF-8.
 */
export function readBinaryHeaders(headers: HttpHeaders, rawHeaders?: readonly string[]): LooseParts {
  const found = emptyParts()
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
export function binaryEvent(found: LooseParts, body: Uint8Array): CloudEvent {
  requireVersion(found)
  if (body.byteLength > 0) found.data = bytesData(body)
  return adoptEvent(found)
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

function takeHeader(found: LooseParts, header: string, value: string): void {
  // Most headers of a request are none of ours.
  if ((header.charCodeAt(0) | 0x20) !== LETTER_C) return
  if ((header.charCodeAt(1) | 0x20) === LETTER_E && header.charCodeAt(2) === DASH) {
    const name = lowerCase(header.slice(3))
    // Must not be sent: Content-Type is where that attribute stands.
    if (name !== 'datacontenttype') takeAttribute(found, name, decodeHeaderValue(value, name))
  } else if (header.length === contentType.length && lowerCase(header) === contentType) {
    takeAttribute(found, 'datacontenttype', value)
  }
}

const contentType = 'content-type'

/** Node has lower-cased all names already, and to look is quicker than to do it again. */
function lowerCase(name: string): string {
  for (let at = 0; at < name.length; at++) {
    const code = name.charCodeAt(at)
    if ((code >= 0x41 && code <= 0x5a) || code > 0x7f) return name.toLowerCase()
  }
  return name
}

const DASH = 0x2d
const LETTER_C = 0x63
const LETTER_E = 0x65
