/** In which content mode an HTTP message carries events (HTTP binding §3), told by its headers alone. */
import { contentModeOf, type ContentMode } from '../content-mode.ts'

/** As Node has them: lower-cased or not, doubled ones as an array or joined. */
export type HttpHeaders = Readonly<Record<string, string | readonly string[] | undefined>>

/** What an HTTP client needs; header names are lower case. */
export type HttpContent = { readonly headers: Readonly<Record<string, string>>; readonly body: Uint8Array }

export type HttpMode = ContentMode

/** The mode, or nothing for a message that is no CloudEvent: it has neither a CloudEvents media type nor `ce-specversion`.
 *  Says nothing about whether the format is one that we read. */
export function modeOf(headers: HttpHeaders): HttpMode | undefined {
  const contentType = headerOf(headers, 'content-type')
  const mode = contentType === undefined ? undefined : contentModeOf(contentType)
  if (mode !== undefined) return mode
  return headerOf(headers, 'ce-specversion') === undefined ? undefined : 'binary'
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
