/** HTTP binding, reading: events from the headers and the body of a request or a response. */
import { CloudEventError } from '../../error.ts'
import type { CloudEvent } from '../../event.ts'
import { checkSize, limitsOf, type DecodeLimits } from '../../limits.ts'
import { decodeBatched, decodeStructured, type DecodedEvents } from '../content-mode.ts'
import { binaryEvent, readBinaryHeaders } from './binary.ts'
import { headerOf, modeOf, type HttpHeaders } from './mode.ts'

export type HttpDecodeOptions = DecodeLimits & {
  /** Node's `rawHeaders`: the only place where doubled headers can be told from a value with a comma. */
  readonly rawHeaders?: readonly string[]
  /** What a binary message is that has `ce-specversion` but not all of id, source and type: an error (default), or a plain
   *  message, for which nothing is returned. */
  readonly incomplete?: 'refuse' | 'plain'
}

/**
 * The one event of a message, or nothing if the message is no CloudEvent. The body of a binary message becomes the data as
 * it is, not copied. Throws CloudEventError; of kind `unsupported` for an unknown format, `batch` for a batch.
 */
export function decodeHttp(
  headers: HttpHeaders,
  body: Uint8Array,
  options: HttpDecodeOptions = {},
): CloudEvent | undefined {
  const mode = modeOf(headers)
  if (mode === 'batched') throw new CloudEventError('body', 'batch')
  return mode === undefined ? undefined : decodeSingle(mode, headers, body, options)
}

/** All events of a message in any mode, or nothing if the message is no CloudEvent. A batch is read all or none. */
export function decodeHttpEvents(
  headers: HttpHeaders,
  body: Uint8Array,
  options: HttpDecodeOptions = {},
): DecodedEvents | undefined {
  const mode = modeOf(headers)
  if (mode === undefined) return undefined
  if (mode === 'batched') {
    return { mode, events: decodeBatched(headerOf(headers, 'content-type') as string, body, options) }
  }
  const event = decodeSingle(mode, headers, body, options)
  return event && { mode, events: [event] }
}

function decodeSingle(
  mode: 'binary' | 'structured',
  headers: HttpHeaders,
  body: Uint8Array,
  options: HttpDecodeOptions,
): CloudEvent | undefined {
  if (mode === 'structured') {
    // §3.2.3: repeated `ce-` headers are copies; the payload has everything.
    return decodeStructured(headerOf(headers, 'content-type') as string, body, options)
  }
  checkSize(body.byteLength, limitsOf(options))
  const found = readBinaryHeaders(headers, options.rawHeaders)
  const complete = found.id !== undefined && found.source !== undefined && found.type !== undefined
  return !complete && options.incomplete === 'plain' ? undefined : binaryEvent(found, body)
}
