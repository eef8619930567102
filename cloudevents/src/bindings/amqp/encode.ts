/** AMQP binding, writing. Names have the prefix `cloudEvents_`, which JMS clients can read too. */
import { contentTypeOf, dataBytes } from '../../data.ts'
import type { CloudEvent, ExtensionValue } from '../../event.ts'
import type { JsonOptions } from '../../json-codec.ts'
import { attributesForMessage } from '../attributes.ts'
import { checkBinaryContentType, encodeBatched, encodeStructured, type EncodeOptions } from '../content-mode.ts'
import type { EncodedAmqp091Message, EncodedAmqpMessage } from './message.ts'

/** Attributes in application properties with their types (timestamps as text, which keeps their spelling), data as the
 *  payload. Throws CloudEventError `binary-mode` for content that is itself an event as a document. */
export function encodeAmqpBinary(event: CloudEvent, options?: JsonOptions): EncodedAmqpMessage {
  const applicationProperties: Record<string, ExtensionValue> = {}
  attributesForMessage(event, (name, value) => (applicationProperties[`cloudEvents_${name}`] = value))
  const contentType = contentTypeOf(event)
  checkBinaryContentType(contentType)
  return { contentType, applicationProperties, payload: dataBytes(event, options) ?? new Uint8Array(0) }
}

/** The event as a document. */
export function encodeAmqpStructured(event: CloudEvent, options?: EncodeOptions): EncodedAmqpMessage {
  const { contentType, body } = encodeStructured(event, options)
  return { contentType, applicationProperties: {}, payload: body }
}

/** Several events as one message. The binding does not define it: only for receivers that are known to read it. */
export function encodeAmqpBatch(events: readonly CloudEvent[], options?: EncodeOptions): EncodedAmqpMessage {
  const { contentType, body } = encodeBatched(events, options)
  return { contentType, applicationProperties: {}, payload: body }
}

/** `encodeAmqpBinary` for AMQP 0-9-1: `channel.publish(exchange, key, content, properties)` of `amqplib`. */
export function encodeAmqp091Binary(event: CloudEvent, options?: JsonOptions): EncodedAmqp091Message {
  return toAmqp091(encodeAmqpBinary(event, options))
}

/** `encodeAmqpStructured` for AMQP 0-9-1. */
export function encodeAmqp091Structured(event: CloudEvent, options?: EncodeOptions): EncodedAmqp091Message {
  return toAmqp091(encodeAmqpStructured(event, options))
}

function toAmqp091({ contentType, applicationProperties, payload }: EncodedAmqpMessage): EncodedAmqp091Message {
  const properties = contentType === undefined ? {} : { contentType }
  return { content: payload, properties: { ...properties, headers: applicationProperties } }
}
