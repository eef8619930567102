/** In which content mode an HTTP message carries events (HTTP binding §3), told by its headers alone. */
import { CloudEventError } from '../../error.ts'
import { isUtf8Charset, parseMediaType } from '../../media-type.ts'

/** As Node has them: lower-cased or not, doubled ones as an array or joined. */
export type HttpHeaders = Readonly<Record<string, string | readonly string[] | undefined>>

/** What an HTTP client needs; header names are lower case. */
export type HttpContent = { readonly headers: Readonly<Record<string, string>>; readonly body: Uint8Array }

export type HttpMode = 'binary' | 'structured' | 'batched'

export const structuredJsonType = 'application/cloudevents+json'
export const batchedJsonType = 'application/cloudevents-batch+json'

/** The media types that are read here, for the answer 415. */
export const knownMediaTypes: readonly string[] = [structuredJsonType, batchedJsonType]

/** The mode, or nothing for a message that is no CloudEvent: it has neither a CloudEvents media type nor `ce-specversion`.
 *  Says nothing about whether the format is one that we read. */
export function modeOf(headers: HttpHeaders): HttpMode | undefined {
  const contentType = headerOf(headers, 'content-type')
  if (contentType !== undefined && prefix.test(contentType)) {
    return batchPrefix.test(contentType) ? 'batched' : 'structured'
  }
  return headerOf(headers, 'ce-specversion') === undefined ? undefined : 'binary'
}

/** Whether a media type is one of CloudEvents itself, of whatever format. */
export function isCloudEventsType(contentType: string): boolean {
  return prefix.test(contentType)
}

/** Throws CloudEventError `format` (kind `unsupported`) unless the content type is `expected` in UTF-8. */
export function checkFormat(headers: HttpHeaders, expected: string): void {
  const type = parseMediaType(headerOf(headers, 'content-type') ?? '')
  if (type?.essence !== expected || !isUtf8Charset(type.charset)) {
    throw new CloudEventError('content-type', 'format', { detail: `known are ${knownMediaTypes.join(', ')} in UTF-8` })
  }
}

/** A header by its lower-case name, whatever the case of the record's keys; of several values the first. */
export function headerOf(headers: HttpHeaders, name: string): string | undefined {
  let value = headers[name]
  if (value === undefined) {
    for (const key in headers) {
      if (key.length === name.length && key.toLowerCase() === name) value ??= headers[key]
    }
  }
  return typeof value === 'string' ? value : value?.[0]
}

const prefix = /^\s*application\/cloudevents/i
const batchPrefix = /^\s*application\/cloudevents-batch/i
