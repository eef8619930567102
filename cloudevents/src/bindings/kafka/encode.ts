/** Kafka binding, writing. */
import { contentTypeOf, dataBytes } from '../../data.ts'
import { attributeText, type CloudEvent } from '../../event.ts'
import { attributesForMessage } from '../attributes.ts'
import { checkBinaryContentType, encodeBatched, encodeStructured, type EncodeOptions } from '../content-mode.ts'
import type { EncodedKafkaMessage } from './message.ts'

export type KafkaKeyMapper = (event: CloudEvent) => string | Uint8Array | null

export type KafkaEncodeOptions = EncodeOptions & {
  /** Makes the record's key; default: none. The event stays as it is. */
  readonly key?: KafkaKeyMapper
}

/** The mapper of the binding (§3.1.1): the attribute `partitionkey`, or no key. */
export const partitionKeyOf: KafkaKeyMapper = ({ extensions: { partitionkey } }) =>
  partitionkey === undefined ? null : attributeText(partitionkey)

/** Attributes in headers, data as the value; none is a tombstone. Throws CloudEventError `binary-mode` for content that is
 *  itself an event as a document. */
export function encodeKafkaBinary(event: CloudEvent, options: KafkaEncodeOptions = {}): EncodedKafkaMessage {
  const headers: Record<string, string> = {}
  attributesForMessage(event, (name, value) => (headers[`ce_${name}`] = attributeText(value)))
  const contentType = contentTypeOf(event)
  checkBinaryContentType(contentType)
  if (contentType !== undefined) headers['content-type'] = contentType
  return { key: options.key?.(event) ?? null, value: dataBytes(event, options) ?? null, headers }
}

/** The event as a document; also without data it is no tombstone. */
export function encodeKafkaStructured(event: CloudEvent, options: KafkaEncodeOptions = {}): EncodedKafkaMessage {
  const { contentType, body } = encodeStructured(event, options)
  return { key: options.key?.(event) ?? null, value: body, headers: { 'content-type': contentType } }
}

/** Several events as one record. The binding does not define it: only for receivers that are known to read it. */
export function encodeKafkaBatch(events: readonly CloudEvent[], options: EncodeOptions = {}): EncodedKafkaMessage {
  const { contentType, body } = encodeBatched(events, options)
  return { key: null, value: body, headers: { 'content-type': contentType } }
}
