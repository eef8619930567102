import type { EventFormat } from '../../format.ts'
import { decodeProtobuf, decodeProtobufBatch } from './decode.ts'
import { encodeProtobuf, encodeProtobufBatch } from './encode.ts'

/** The Protobuf format, io.cloudevents.v1. */
export const protobufFormat: EventFormat = {
  mediaType: 'application/cloudevents+protobuf',
  isText: false,
  encode: encodeProtobuf,
  decode: decodeProtobuf,
  batch: {
    mediaType: 'application/cloudevents-batch+protobuf',
    encode: encodeProtobufBatch,
    decode: decodeProtobufBatch,
  },
}
