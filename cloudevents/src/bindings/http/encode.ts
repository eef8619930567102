/** HTTP binding, writing: headers and body that carry an event or a batch. Binary mode stands in `binary.ts`. */
import type { CloudEvent } from '../../event.ts'
import { encodeBatched, encodeStructured, type Encoded, type EncodeOptions } from '../content-mode.ts'
import type { HttpContent } from './mode.ts'

/** One event as a document, `application/cloudevents+json` unless `format` says another. */
export function encodeHttpStructured(event: CloudEvent, options?: EncodeOptions): HttpContent {
  return content(encodeStructured(event, options))
}

/** Any number of events as one document, `application/cloudevents-batch+json` unless `format` says another. */
export function encodeHttpBatch(events: readonly CloudEvent[], options?: EncodeOptions): HttpContent {
  return content(encodeBatched(events, options))
}

function content({ contentType, body }: Encoded): HttpContent {
  return { headers: { 'content-type': contentType }, body }
}
