/** What a content type says about how a message carries events; the same in every binding. */
import { CloudEventError } from '../error.ts'
import type { CloudEvent } from '../event.ts'
import type { EventFormat } from '../format.ts'
import { batchFormatOf, formatOf } from '../formats/formats.ts'
import { jsonFormat } from '../formats/json/format.ts'
import type { JsonOptions } from '../json-codec.ts'
import type { DecodeLimits } from '../limits.ts'

export type ContentMode = 'binary' | 'structured' | 'batched'

/** `structured` or `batched` for a CloudEvents media type of whatever format, in any case, else nothing. */
export function contentModeOf(contentType: string): 'structured' | 'batched' | undefined {
  if (!prefix.test(contentType)) return undefined
  return batchPrefix.test(contentType) ? 'batched' : 'structured'
}

const prefix = /^\s*application\/cloudevents/i
const batchPrefix = /^\s*application\/cloudevents-batch/i

export type EncodeOptions = JsonOptions & {
  /** Of structured and batched mode; default: JSON. */
  readonly format?: EventFormat
}

/** One event as a document. */
export function encodeStructured(event: CloudEvent, options: EncodeOptions = {}): Encoded {
  const format = options.format ?? jsonFormat
  return { contentType: format.mediaType, body: format.encode(event, options) }
}

/** Events as one document. Throws CloudEventError `format` for a format that has no batches. */
export function encodeBatched(events: readonly CloudEvent[], options: EncodeOptions = {}): Encoded {
  const { batch } = options.format ?? jsonFormat
  if (batch === undefined) throw new CloudEventError('content-type', 'format', { detail: 'it has no batches' })
  return { contentType: batch.mediaType, body: batch.encode(events, options) }
}

export type Encoded = { readonly contentType: string; readonly body: Uint8Array }

/** Throws CloudEventError, of kind `unsupported` for a format that is not known. */
export function decodeStructured(contentType: string, body: Uint8Array, limits?: DecodeLimits): CloudEvent {
  return formatOf(contentType).decode(body, limits)
}

/** The same for a batch, all or none. */
export function decodeBatched(contentType: string, body: Uint8Array, limits?: DecodeLimits): CloudEvent[] {
  return batchFormatOf(contentType).batch.decode(body, limits)
}

/**
 * The events of a message whose content type announces a document, or nothing for any other content type. Throws
 * CloudEventError of kind `batch` when `one` is asked for and it is a batch.
 */
export function decodeDocument(
  contentType: string | undefined,
  body: Uint8Array,
  limits: DecodeLimits | undefined,
  one: boolean,
): DecodedEvents | undefined {
  const mode = contentType === undefined ? undefined : contentModeOf(contentType)
  if (mode === undefined || contentType === undefined) return undefined
  if (mode === 'structured') return { mode, events: [decodeStructured(contentType, body, limits)] }
  if (one) throw new CloudEventError('body', 'batch')
  return { mode, events: decodeBatched(contentType, body, limits) }
}

/** The one event of a message that was read as one. */
export function onlyEvent(decoded: DecodedEvents | undefined): DecodedEvent | undefined {
  const event = decoded?.events[0]
  return event && { mode: decoded?.mode as DecodedEvent['mode'], event }
}

/** Content that is itself an event as a document: the receiver of a binary message would unpack the wrong one. */
export function checkBinaryContentType(contentType: string | undefined): void {
  if (contentType !== undefined && prefix.test(contentType)) throw new CloudEventError('datacontenttype', 'binary-mode')
}

/** A message with exactly one event, whatever its mode. */
export type DecodedEvent = { readonly mode: 'binary' | 'structured'; readonly event: CloudEvent }

/** A message with any number of events; one, unless the mode is `batched`. */
export type DecodedEvents = { readonly mode: ContentMode; readonly events: readonly CloudEvent[] }
