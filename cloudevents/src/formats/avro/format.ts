import type { EventFormat } from '../../format.ts'
import { decodeAvro } from './decode.ts'
import { encodeAvro } from './encode.ts'

/** The Avro format; it has no batches. */
export const avroFormat: EventFormat = {
  mediaType: 'application/cloudevents+avro',
  isText: false,
  encode: encodeAvro,
  decode: decodeAvro,
}
