/** The formats of this package by their media types, for structured and batched mode of every binding. */
import { CloudEventError } from '../error.ts'
import type { EventFormat } from '../format.ts'
import { isUtf8Charset, parseMediaType } from '../media-type.ts'
import { avroFormat } from './avro/format.ts'
import { jsonFormat } from './json/format.ts'
import { protobufFormat } from './protobuf/format.ts'
import { xmlFormat } from './xml/format.ts'

export const formats: readonly EventFormat[] = [jsonFormat, avroFormat, protobufFormat, xmlFormat]

/** All media types that are read here, for the answer 415. */
export const knownMediaTypes: readonly string[] = [
  ...formats.map(({ mediaType }) => mediaType),
  ...formats.flatMap(({ batch }) => (batch === undefined ? [] : [batch.mediaType])),
]

const single = new Map(formats.map(format => [format.mediaType, format]))
const batched = new Map(formats.flatMap(format => (format.batch ? [[format.batch.mediaType, format] as const] : [])))

/** The format of a structured message. Throws CloudEventError `format` for one that is not known or not in UTF-8. */
export function formatOf(contentType: string): EventFormat {
  return find(contentType, single)
}

/** The same for a batch. */
export function batchFormatOf(contentType: string): EventFormat & Required<Pick<EventFormat, 'batch'>> {
  return find(contentType, batched) as EventFormat & Required<Pick<EventFormat, 'batch'>>
}

function find(contentType: string, known: ReadonlyMap<string, EventFormat>): EventFormat {
  const exact = known.get(contentType)
  if (exact !== undefined) return exact
  const type = parseMediaType(contentType.trim())
  const format = type && known.get(type.essence)
  if (format === undefined || (format.isText && !isUtf8Charset(type?.charset))) {
    throw new CloudEventError('content-type', 'format', { detail: `known are ${knownMediaTypes.join(', ')} in UTF-8` })
  }
  return format
}
