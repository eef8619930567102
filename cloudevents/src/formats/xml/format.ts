import { Buffer } from 'node:buffer'
import type { EventFormat } from '../../format.ts'
import { decodeXml, decodeXmlBatch } from './decode.ts'
import { encodeXml, encodeXmlBatch } from './encode.ts'

/** The XML format (a working draft of the specification). */
export const xmlFormat: EventFormat = {
  mediaType: 'application/cloudevents+xml',
  isText: true,
  encode: (event, options) => Buffer.from(encodeXml(event, options)),
  decode: decodeXml,
  batch: {
    mediaType: 'application/cloudevents-batch+xml',
    encode: (events, options) => Buffer.from(encodeXmlBatch(events, options)),
    decode: decodeXmlBatch,
  },
}
