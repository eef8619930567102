/** Protobuf format, reading: the messages of io.cloudevents.v1, by field number from the wire. */
import { WireType } from '@bufbuild/protobuf/wire'
import { adoptEvent, type LooseParts } from '../../create-event.ts'
import { bytesData, protobufData, textData } from '../../data.ts'
import { CloudEventError } from '../../error.ts'
import type { CloudEvent, EventData, ExtensionValue } from '../../event.ts'
import {
  checkAttributes,
  checkCount,
  checkSize,
  inBatch,
  limitsOf,
  type DecodeLimits,
  type Limits,
} from '../../limits.ts'
import { emptyParts, putAttribute, requireVersion } from '../parts.ts'
import { MessageReader, type TakeField } from './reader.ts'
import { timestampText } from './timestamp.ts'

/** One event. Bytes stay on the memory of `body`. Throws CloudEventError. */
export function decodeProtobuf(body: Uint8Array, given?: DecodeLimits): CloudEvent {
  const limits = limitsOf(given)
  checkSize(body.length, limits)
  return readEvent(body, limits)
}

/** The events of a CloudEventBatch, all or none. Throws CloudEventError, whose message has the index of a broken one. */
export function decodeProtobufBatch(body: Uint8Array, given?: DecodeLimits): CloudEvent[] {
  const limits = limitsOf(given)
  checkSize(body.length, limits)
  const { messages } = new MessageReader(body).read(takeEvent, { messages: [], limits })
  return messages.map((message, index) => inBatch(index, () => readEvent(message, limits)))
}

const takeEvent: TakeField<{ messages: Uint8Array[]; limits: Limits }> = (batch, field, wireType, target) => {
  if (field !== 1 || wireType !== WireType.LengthDelimited) return false
  checkCount(target.messages.push(batch.bytes()), target.limits)
  return true
}

function readEvent(body: Uint8Array, limits: Limits): CloudEvent {
  const { parts } = new MessageReader(body).read(takeField, { parts: emptyParts(), attributes: 0, limits })
  requireVersion(parts)
  return adoptEvent(parts)
}

type Draft = { readonly parts: LooseParts; attributes: number; readonly limits: Limits }

/** Of a field that is there twice, and of an entry with a name that is, the last holds. */
const takeField: TakeField<Draft> = (event, field, wireType, draft) => {
  if (wireType !== WireType.LengthDelimited) return false
  const { parts, limits } = draft
  switch (field) {
    // An empty text is what a missing one is.
    case 1:
      parts.id = event.string() || undefined
      return true
    case 2:
      parts.source = event.string() || undefined
      return true
    case 3:
      parts.specversion = event.string() || undefined
      return true
    case 4:
      parts.type = event.string() || undefined
      return true
    case 5:
      checkAttributes(++draft.attributes, limits)
      putEntry(parts, event.nested(takeEntry, { name: '', value: undefined }))
      return true
    case 6:
      parts.data = bytesData(event.bytes())
      return true
    case 7:
      parts.data = textData(event.string())
      return true
    case 8:
      parts.data = readAny(event)
      return true
    default:
      return false
  }
}

type Entry = { name: string; value: ExtensionValue | undefined }

function putEntry(parts: LooseParts, { name, value }: Entry): void {
  if (fieldNames.has(name)) throw new CloudEventError(name, 'doubled')
  putAttribute(parts, name, value)
}

/** Attributes that have fields of their own. */
const fieldNames: ReadonlySet<string> = new Set(['id', 'source', 'specversion', 'type'])

/** An entry of the map: key 1, value 2. */
const takeEntry: TakeField<Entry> = (entry, field, wireType, target) => {
  if (wireType !== WireType.LengthDelimited) return false
  if (field === 1) target.name = entry.name()
  else if (field === 2) entry.nested(takeValue, target)
  else return false
  return true
}

/** CloudEventAttributeValue. */
const takeValue: TakeField<Entry> = (attribute, field, wireType, target) => {
  if (wireType === WireType.Varint) {
    if (field === 1) target.value = attribute.boolean()
    else if (field === 2) target.value = attribute.int32()
    else return false
    return true
  }
  if (wireType !== WireType.LengthDelimited) return false
  switch (field) {
    case 3:
    case 5: // URI
    case 6: // URI reference
      target.value = attribute.string()
      return true
    case 4:
      target.value = new Uint8Array(attribute.bytes())
      return true
    case 7: {
      const text = timestampText(attribute.nested(takeTime, { seconds: 0, nanos: 0 }))
      if (text === undefined) throw new CloudEventError(target.name, 'timestamp')
      target.value = text
      return true
    }
    default:
      return false
  }
}

const takeTime: TakeField<{ seconds: number; nanos: number }> = (timestamp, field, wireType, target) => {
  if (wireType !== WireType.Varint) return false
  if (field === 1) target.seconds = timestamp.int64()
  else if (field === 2) target.nanos = timestamp.int32()
  else return false
  return true
}

/** google.protobuf.Any: type URL 1, value 2. */
function readAny(event: MessageReader): EventData {
  const { typeUrl, value } = event.nested(takeAny, { typeUrl: '', value: new Uint8Array(0) })
  return protobufData(typeUrl, value)
}

const takeAny: TakeField<{ typeUrl: string; value: Uint8Array }> = (any, field, wireType, target) => {
  if (wireType !== WireType.LengthDelimited) return false
  if (field === 1) target.typeUrl = any.string()
  else if (field === 2) target.value = any.bytes()
  else return false
  return true
}
