/** CloudEvents 1.0.2: the event, its validation, its formats, its bindings, its documented extensions. */
export {
  attributesOf,
  attributeText,
  type AttributeValue,
  type CloudEvent,
  type EventParts,
  type EventData,
  type Extensions,
  type ExtensionValue,
} from './event.ts'
export { createEvent } from './create-event.ts'
export { validate, type Strictness } from './validate.ts'
export { CloudEventError, type CloudEventErrorKind, type CloudEventRule } from './error.ts'
export {
  bytesData,
  contentTypeOf,
  dataBytes,
  dataMember,
  dataValue,
  jsonData,
  jsonTextData,
  protobufData,
  textData,
  type JsonMember,
} from './data.ts'
export type { JsonCodec, JsonOptions } from './json-codec.ts'
export { contentDigest } from './content-digest.ts'
export { isJsonType } from './media-type.ts'
export { defaultLimits, type DecodeLimits } from './limits.ts'
export {
  readExtension,
  typedExtensionNames,
  writeExtensions,
  type TypedExtensionName,
  type TypedExtensions,
} from './extensions/typed.ts'

export type { EventFormat } from './format.ts'
export { formats, knownMediaTypes } from './formats/formats.ts'
export { jsonFormat } from './formats/json/format.ts'
export { decodeJson, decodeJsonBatch, fromJsonObject } from './formats/json/decode.ts'
export { encodeJson, encodeJsonBatch, toJsonObject } from './formats/json/encode.ts'
export { avroFormat } from './formats/avro/format.ts'
export { decodeAvro } from './formats/avro/decode.ts'
export { encodeAvro } from './formats/avro/encode.ts'
export { protobufFormat } from './formats/protobuf/format.ts'
export { decodeProtobuf, decodeProtobufBatch } from './formats/protobuf/decode.ts'
export { encodeProtobuf, encodeProtobufBatch } from './formats/protobuf/encode.ts'
export { xmlFormat } from './formats/xml/format.ts'
export { decodeXml, decodeXmlBatch } from './formats/xml/decode.ts'
export { encodeXml, encodeXmlBatch } from './formats/xml/encode.ts'

export type { ContentMode, DecodedEvent, DecodedEvents, EncodeOptions } from './bindings/content-mode.ts'
export { modeOf, type HttpContent, type HttpHeaders, type HttpMode } from './bindings/http/mode.ts'
export { decodeHttp, decodeHttpEvents, type HttpDecodeOptions } from './bindings/http/decode.ts'
export { encodeHttpBinary } from './bindings/http/binary.ts'
export { encodeHttpBatch, encodeHttpStructured } from './bindings/http/encode.ts'
export { decodeHeaderValue, encodeHeaderValue } from './bindings/http/header-value.ts'
export { answerWebhookHandshake, type WebhookAnswer, type WebhookPolicy } from './bindings/http/webhook.ts'
export type { EncodedKafkaMessage, KafkaHeaders, KafkaMessage } from './bindings/kafka/message.ts'
export { decodeKafka, decodeKafkaEvents } from './bindings/kafka/decode.ts'
export {
  encodeKafkaBatch,
  encodeKafkaBinary,
  encodeKafkaStructured,
  partitionKeyOf,
  type KafkaEncodeOptions,
  type KafkaKeyMapper,
} from './bindings/kafka/encode.ts'
export type { EncodedMqttMessage, MqttMessage, MqttVersion } from './bindings/mqtt/message.ts'
export { decodeMqtt, decodeMqttEvents, type MqttDecodeOptions } from './bindings/mqtt/decode.ts'
export {
  encodeMqttBatch,
  encodeMqttBinary,
  encodeMqttStructured,
  type MqttEncodeOptions,
} from './bindings/mqtt/encode.ts'
export type { Amqp091Message, AmqpMessage, EncodedAmqp091Message, EncodedAmqpMessage } from './bindings/amqp/message.ts'
export { decodeAmqp, decodeAmqp091, decodeAmqp091Events, decodeAmqpEvents } from './bindings/amqp/decode.ts'
export {
  encodeAmqp091Binary,
  encodeAmqp091Structured,
  encodeAmqpBatch,
  encodeAmqpBinary,
  encodeAmqpStructured,
} from './bindings/amqp/encode.ts'
