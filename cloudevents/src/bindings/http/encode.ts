/** HTTP binding, writing: headers and body that carry an event or a batch. Binary mode stands in `binary.ts`. */
import { Buffer } from 'node:buffer'
import type { CloudEvent } from '../../event.ts'
import { encodeJson, encodeJsonBatch } from '../../formats/json/encode.ts'
import type { JsonOptions } from '../../json-codec.ts'
import { batchedJsonType, structuredJsonType, type HttpContent } from './mode.ts'

/** One event as `application/cloudevents+json`. */
export function encodeHttpStructured(event: CloudEvent, options?: JsonOptions): HttpContent {
  return content(structuredJsonType, encodeJson(event, options))
}

/** Any number of events as `application/cloudevents-batch+json`. */
export function encodeHttpBatch(events: readonly CloudEvent[], options?: JsonOptions): HttpContent {
  return content(batchedJsonType, encodeJsonBatch(events, options))
}

function content(type: string, text: string): HttpContent {
  return { headers: { 'content-type': type }, body: Buffer.from(text) }
}
