import { Buffer } from 'node:buffer'
import type { EventFormat } from '../../format.ts'
import { decodeJson, decodeJsonBatch } from './decode.ts'
import { encodeJson, encodeJsonBatch } from './encode.ts'

/** The JSON format, which every CloudEvents receiver reads. */
export const jsonFormat: EventFormat = {
  mediaType: 'application/cloudevents+json',
  isText: true,
  encode: (event, options) => Buffer.from(encodeJson(event, options)),
  decode: decodeJson,
  batch: {
    mediaType: 'application/cloudevents-batch+json',
    encode: (events, options) => Buffer.from(encodeJsonBatch(events, options)),
    decode: decodeJsonBatch,
  },
}
