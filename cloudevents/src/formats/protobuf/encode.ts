/** Protobuf format, writing: messages of io.cloudevents.v1. */
import { BinaryWriter, WireType } from '@bufbuild/protobuf/wire'
import { contentTypeOf, dataBytes } from '../../data.ts'
import type { CloudEvent, ExtensionValue } from '../../event.ts'
import type { JsonOptions } from '../../json-codec.ts'
import { isTimestamp } from '../../timestamp.ts'
import { isUriReference } from '../../uri.ts'
import { timestampOf } from './timestamp.ts'

/**
 * One event as io.cloudevents.v1.CloudEvent. JSON and text go as `text_data`, Protobuf messages (`protobufData`) as
 * `proto_data`. A `time` that a Timestamp cannot hold (a leap second, ten digits) goes as a string. Throws CloudEventError
 * when data has no JSON.
 */
export function encodeProtobuf(event: CloudEvent, options?: JsonOptions): Uint8Array {
  return writeEvent(new BinaryWriter(), event, options).finish()
}

/** Any number of events as io.cloudevents.v1.CloudEventBatch. */
export function encodeProtobufBatch(events: readonly CloudEvent[], options?: JsonOptions): Uint8Array {
  const writer = new BinaryWriter()
  for (const event of events) {
    tag(writer, 1).fork()
    writeEvent(writer, event, options).join()
  }
  return writer.finish()
}

function writeEvent(writer: BinaryWriter, event: CloudEvent, options?: JsonOptions): BinaryWriter {
  tag(writer, 1).string(event.id)
  tag(writer, 2).string(event.source)
  tag(writer, 3).string(event.specversion)
  tag(writer, 4).string(event.type)
  const contentType = contentTypeOf(event)
  if (event.subject !== undefined) writeAttribute(writer, 'subject', 3, event.subject)
  if (event.time !== undefined) writeTimestamp(writer, 'time', event.time)
  if (contentType !== undefined) writeAttribute(writer, 'datacontenttype', 3, contentType)
  if (event.dataschema !== undefined) writeAttribute(writer, 'dataschema', 5, event.dataschema)
  for (const name in event.extensions) writeExtension(writer, name, event.extensions[name] as ExtensionValue)
  return writeData(writer, event, options)
}

function writeData(writer: BinaryWriter, event: CloudEvent, options?: JsonOptions): BinaryWriter {
  const { data } = event
  if (data === undefined) return writer
  if (data.kind === 'text') return tag(writer, 7).string(data.text)
  const bytes = dataBytes(event, options) as Uint8Array
  if (data.kind === 'json') return tag(writer, 7).bytes(bytes)
  if (data.typeUrl === undefined) return tag(writer, 6).bytes(bytes)
  tag(writer, 8).fork()
  tag(writer, 1).string(data.typeUrl)
  return tag(writer, 2).bytes(bytes).join()
}

/** Documented extensions have the types that their documents give them. */
function writeExtension(writer: BinaryWriter, name: string, value: ExtensionValue): void {
  if (typeof value !== 'string') return writeTyped(writer, name, value)
  if ((name === 'expirytime' || name === 'recordedtime') && isTimestamp(value)) {
    return writeTimestamp(writer, name, value)
  }
  writeAttribute(writer, name, name === 'dataref' && isUriReference(value) ? 6 : 3, value)
}

function writeTyped(writer: BinaryWriter, name: string, value: boolean | number | Uint8Array): void {
  openAttribute(writer, name)
  if (typeof value === 'boolean') writer.tag(1, WireType.Varint).bool(value)
  else if (typeof value === 'number') writer.tag(2, WireType.Varint).int32(value)
  else tag(writer, 4).bytes(value)
  writer.join().join()
}

function writeTimestamp(writer: BinaryWriter, name: string, text: string): void {
  const timestamp = timestampOf(text)
  if (timestamp === undefined) return writeAttribute(writer, name, 3, text)
  openAttribute(writer, name)
  tag(writer, 7).fork()
  if (timestamp.seconds !== 0) writer.tag(1, WireType.Varint).int64(timestamp.seconds)
  if (timestamp.nanos !== 0) writer.tag(2, WireType.Varint).int32(timestamp.nanos)
  writer.join().join().join()
}

function writeAttribute(writer: BinaryWriter, name: string, field: 3 | 5 | 6, value: string): void {
  openAttribute(writer, name)
  tag(writer, field).string(value).join().join()
}

/** Opens the map's entry and its value. */
function openAttribute(writer: BinaryWriter, name: string): void {
  tag(writer, 5).fork()
  tag(writer, 1).string(name)
  tag(writer, 2).fork()
}

function tag(writer: BinaryWriter, field: number): BinaryWriter {
  return writer.tag(field, WireType.LengthDelimited)
}
