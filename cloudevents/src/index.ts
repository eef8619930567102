/** CloudEvents 1.0.2: the event, its validation, the JSON format, the HTTP binding. */
export {
  attributesOf,
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
  textData,
  type JsonMember,
} from './data.ts'
export type { JsonCodec, JsonOptions } from './json-codec.ts'
export { contentDigest } from './content-digest.ts'
export { isJsonType } from './media-type.ts'
export { decodeJson, decodeJsonBatch, fromJsonObject } from './formats/json/decode.ts'
export { encodeJson, encodeJsonBatch, toJsonObject } from './formats/json/encode.ts'
export { knownMediaTypes, modeOf, type HttpContent, type HttpHeaders, type HttpMode } from './bindings/http/mode.ts'
export { decodeHttp, decodeHttpEvents, type HttpDecodeOptions } from './bindings/http/decode.ts'
export { encodeHttpBinary } from './bindings/http/binary.ts'
export { encodeHttpBatch, encodeHttpStructured } from './bindings/http/encode.ts'
export { decodeHeaderValue, encodeHeaderValue } from './bindings/http/header-value.ts'
