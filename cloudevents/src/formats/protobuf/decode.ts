/** Protobuf format, reading: the messages of io.cloudevents.v1, by field number from the wire. */
import { BinaryReader, WireType } from '@bufbuild/protobuf/wire'
import { createEvent } from '../../create-event.ts'
import { bytesData, protobufData, textData } from '../../data.ts'
import { CloudEventError } from '../../error.ts'
import type { CloudEvent, EventData, ExtensionValue } from '../../event.ts'
import { checkCount, checkSize, inBatch, limitsOf, type DecodeLimits } from '../../limits.ts'
import { bufferOf, utf8Slice } from '../../utf8.ts'
import { emptyParts, requireVersion, takeAttribute } from '../parts.ts'
import { timestampText } from './timestamp.ts'

/** One event. Bytes stay on the memory of `body`. Throws CloudEventError. */
export function decodeProtobuf(body: Uint8Array, given?: DecodeLimits): CloudEvent {
  checkSize(body.length, limitsOf(given))
  return readEvent(body)
}

/** The events of a CloudEventBatch, all or none. Throws CloudEventError, whose message has the index of a broken one. */
export function decodeProtobufBatch(body: Uint8Array, given?: DecodeLimits): CloudEvent[] {
  const limits = limitsOf(given)
  checkSize(body.length, limits)
  const messages: Uint8Array[] = []
  readFields(body, (field, reader, wireType) => {
    if (field !== 1 || wireType !== WireType.LengthDelimited) return false
    checkCount(messages.push(reader.bytes()), limits)
    return true
  })
  return messages.map((message, index) => inBatch(index, () => readEvent(message)))
}

function readEvent(body: Uint8Array): CloudEvent {
  const parts = emptyParts()
  const attributes = new Map<string, ExtensionValue | undefined>()
  readFields(body, (field, reader, wireType) => {
    if (wireType !== WireType.LengthDelimited || field < 1 || field > 8) return false
    const bytes = reader.bytes()
    if (field === 5) readEntry(bytes, attributes)
    else if (field > 5) parts.data = readData(field, bytes)
    // Of a field that is there twice the last holds, and an empty text is what a missing one is.
    else parts[required[field - 1] as 'id'] = textOf(bytes) || undefined
    return true
  })
  requireVersion(parts)
  for (const [name, value] of attributes) if (value !== undefined) takeAttribute(parts, name, value)
  return createEvent(parts as never, 'accepted')
}

const required = ['id', 'source', 'specversion', 'type'] as const

function readData(field: number, bytes: Uint8Array): EventData {
  if (field === 6) return bytesData(bytes)
  return field === 7 ? textData(textOf(bytes)) : readAny(bytes)
}

/** google.protobuf.Any: type_url 1, value 2. */
function readAny(body: Uint8Array): EventData {
  let typeUrl = ''
  let value: Uint8Array = new Uint8Array(0)
  readFields(body, (field, reader, wireType) => {
    if (wireType !== WireType.LengthDelimited || field > 2) return false
    if (field === 1) typeUrl = textOf(reader.bytes())
    else value = reader.bytes()
    return true
  })
  return protobufData(typeUrl, value)
}

/** An entry of the map: key 1, value 2; of a key that is there twice the last holds. */
function readEntry(body: Uint8Array, attributes: Map<string, ExtensionValue | undefined>): void {
  let name = ''
  let value: ExtensionValue | undefined
  readFields(body, (field, reader, wireType) => {
    if (wireType !== WireType.LengthDelimited || field > 2) return false
    if (field === 1) name = textOf(reader.bytes())
    else value = readValue(reader.bytes(), name)
    return true
  })
  attributes.set(name, value)
}

/** CloudEventAttributeValue: boolean 1, integer 2, string 3, bytes 4, URI 5, URI reference 6, timestamp 7. */
function readValue(body: Uint8Array, name: string): ExtensionValue | undefined {
  let value: ExtensionValue | undefined
  readFields(body, (field, reader, wireType) => {
    if (field < 1 || field > 7 || wireType !== (field < 3 ? WireType.Varint : WireType.LengthDelimited)) return false
    if (field === 1) value = reader.bool()
    else if (field === 2) value = reader.int32()
    else if (field === 4) value = reader.bytes()
    else if (field === 7) value = readTimestamp(reader.bytes(), name)
    else value = textOf(reader.bytes())
    return true
  })
  return value
}

function readTimestamp(body: Uint8Array, name: string): string {
  let seconds = 0
  let nanos = 0
  readFields(body, (field, reader, wireType) => {
    if (wireType !== WireType.Varint || field > 2) return false
    if (field === 1) seconds = Number(reader.int64())
    else nanos = reader.int32()
    return true
  })
  const text = timestampText({ seconds, nanos })
  if (text === undefined) throw new CloudEventError(name, 'timestamp')
  return text
}

/** Hands each field to `take`, which reads it or says that it is none of its own. Unknown ones are skipped, as Protobuf
 *  wants, groups to a depth of 100. Whatever the reader throws becomes a CloudEventError. */
function readFields(
  body: Uint8Array,
  take: (field: number, reader: BinaryReader, wireType: WireType) => boolean,
): void {
  const reader = new BinaryReader(body)
  try {
    while (reader.pos < reader.len) {
      const [field, wireType] = reader.tag()
      if (!take(field, reader, wireType)) reader.skip(wireType, field)
    }
  } catch (error) {
    if (error instanceof CloudEventError) throw error
    throw broken(reader.pos)
  }
}

function broken(position: number): CloudEventError {
  return new CloudEventError('body', 'protobuf', { detail: `it is broken at byte ${position} of its message` })
}

function textOf(bytes: Uint8Array): string {
  const text = utf8Slice(bufferOf(bytes), 0, bytes.length)
  if (text === undefined) throw new CloudEventError('body', 'utf8')
  return text
}
