/** MQTT binding, writing. */
import { contentTypeOf, dataBytes } from '../../data.ts'
import { CloudEventError } from '../../error.ts'
import { attributeText, type CloudEvent } from '../../event.ts'
import { emptyRecord } from '../../create-event.ts'
import { jsonFormat } from '../../formats/json/format.ts'
import type { JsonOptions } from '../../json-codec.ts'
import { attributesForMessage } from '../attributes.ts'
import { checkBinaryContentType, encodeBatched, encodeStructured, type EncodeOptions } from '../content-mode.ts'
import type { EncodedMqttMessage, MqttVersion } from './message.ts'

export type MqttEncodeOptions = EncodeOptions & {
  /** Default: 5. */
  readonly version?: MqttVersion
}

/** Attributes in user properties, data as the payload: only MQTT 5 has these. Throws CloudEventError `binary-mode` for
 *  content that is itself an event as a document. */
export function encodeMqttBinary(event: CloudEvent, options?: JsonOptions): Required<EncodedMqttMessage> {
  const userProperties = emptyRecord<string>()
  attributesForMessage(event, (name, value) => (userProperties[name] = attributeText(value)))
  const contentType = contentTypeOf(event)
  checkBinaryContentType(contentType)
  return {
    payload: dataBytes(event, options) ?? new Uint8Array(0),
    properties: { ...(contentType === undefined ? {} : { contentType }), userProperties },
  }
}

/** The event as a document. For MQTT 3.1.1 it is JSON; another format throws CloudEventError `format`. */
export function encodeMqttStructured(event: CloudEvent, options: MqttEncodeOptions = {}): EncodedMqttMessage {
  if (options.version === 4 && (options.format ?? jsonFormat) !== jsonFormat) {
    throw new CloudEventError('content-type', 'format', { detail: 'MQTT 3.1.1 carries JSON only' })
  }
  const { contentType, body } = encodeStructured(event, options)
  return options.version === 4 ? { payload: body } : { payload: body, properties: { contentType } }
}

/** Several events as one message of MQTT 5. The binding does not define it: only for receivers known to read it. */
export function encodeMqttBatch(events: readonly CloudEvent[], options: EncodeOptions = {}): EncodedMqttMessage {
  const { contentType, body } = encodeBatched(events, options)
  return { payload: body, properties: { contentType } }
}
