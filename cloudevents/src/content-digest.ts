/** "Same content" of two events with one identity (source and id): what tells a repetition from a contradiction. */
import { createHash } from 'node:crypto'
import { contentTypeOf, dataBytes } from './data.ts'
import type { CloudEvent } from './event.ts'
import type { JsonOptions } from './json-codec.ts'
import { isJsonType } from './media-type.ts'

/**
 * SHA-256 in hex over `type`, `subject`, content type, `dataschema` and the data bytes; never over `time` or extensions.
 * The same for every content mode in which an event travels, as long as its data has the same bytes. Not told apart, since
 * not every mode can: no data and empty data; JSON with and without blanks before and after it.
 */
export function contentDigest(event: CloudEvent, options?: JsonOptions): string {
  const hash = createHash('sha256')
  const contentType = contentTypeOf(event)
  for (const field of [event.type, event.subject, contentType, event.dataschema]) {
    // A length before each field, so that no two events make the same stream; -1 is "not set".
    hash.update(field === undefined ? '-1:' : `${Buffer.byteLength(field)}:${field}`)
  }
  const bytes = dataBytes(event, options)
  if (bytes !== undefined) hash.update(contentType !== undefined && isJsonType(contentType) ? trimmed(bytes) : bytes)
  return hash.digest('hex')
}

function trimmed(bytes: Uint8Array): Uint8Array {
  let start = 0
  let end = bytes.length
  while (isBlank(bytes[start])) start++
  while (end > start && isBlank(bytes[end - 1])) end--
  return bytes.subarray(start, end)
}

function isBlank(byte: number | undefined): boolean {
  return byte === 0x20 || byte === 0x0a || byte === 0x0d || byte === 0x09
}
