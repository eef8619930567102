/** Avro format, writing. */
import { contentTypeOf, dataBytes } from '../../data.ts'
import { optionalAttributes, type CloudEvent, type ExtensionValue } from '../../event.ts'
import type { JsonOptions } from '../../json-codec.ts'
import { isJsonType } from '../../media-type.ts'
import { AvroWriter } from './writer.ts'

/**
 * One event. Text goes as `string`; JSON goes as `bytes` of its text with its content type, for the schema's own JSON has
 * doubles only, and no arrays of numbers or strings. Throws CloudEventError when data has no JSON.
 */
export function encodeAvro(event: CloudEvent, options?: JsonOptions): Uint8Array {
  const { data } = event
  const contentType = contentTypeOf(event)
  const content = data?.kind === 'text' && contentType !== undefined && !isJsonType(contentType) ? data.text : undefined
  const bytes = content === undefined ? dataBytes(event, options) : undefined
  const writer = new AvroWriter(1024 + (bytes?.length ?? content?.length ?? 0))

  writer.long(countOf(event, contentType))
  writeText(writer, 'specversion', event.specversion)
  writeText(writer, 'id', event.id)
  writeText(writer, 'source', event.source)
  writeText(writer, 'type', event.type)
  for (const name of optionalAttributes) {
    const value = name === 'datacontenttype' ? contentType : event[name]
    if (value !== undefined) writeText(writer, name, value)
  }
  for (const name in event.extensions) writeExtension(writer, name, event.extensions[name] as ExtensionValue)
  writer.long(0)

  if (content !== undefined) {
    writer.long(6)
    writer.string(content)
  } else if (bytes !== undefined) {
    writer.long(0)
    writer.bytes(bytes)
  } else writer.long(1)
  return writer.finish()
}

function countOf(event: CloudEvent, contentType: string | undefined): number {
  let count = 4 + (contentType === undefined ? 0 : 1)
  if (event.subject !== undefined) count++
  if (event.time !== undefined) count++
  if (event.dataschema !== undefined) count++
  for (const _ in event.extensions) count++
  return count
}

function writeText(writer: AvroWriter, name: string, value: string): void {
  writer.string(name)
  writer.long(3)
  writer.string(value)
}

/** Union null, boolean, int, string, bytes. */
function writeExtension(writer: AvroWriter, name: string, value: ExtensionValue): void {
  if (typeof value === 'string') return writeText(writer, name, value)
  writer.string(name)
  switch (typeof value) {
    case 'boolean':
      writer.long(1)
      return writer.boolean(value)
    case 'number':
      writer.long(2)
      return writer.long(value)
    default:
      writer.long(4)
      return writer.bytes(value)
  }
}
