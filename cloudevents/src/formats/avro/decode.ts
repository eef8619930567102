/** Avro format, reading: the published schema io.cloudevents.AvroCloudEvent by hand, for a reader made from the schema would
 *  let bad UTF-8 and keys like `__proto__` pass changed. */
import { adoptEvent } from '../../create-event.ts'
import { bytesData, textData } from '../../data.ts'
import { CloudEventError } from '../../error.ts'
import type { CloudEvent, EventData, ExtensionValue } from '../../event.ts'
import { freezeParsed } from '../../frozen.ts'
import { parseJson } from '../../json-codec.ts'
import {
  checkAttributes,
  checkDepth,
  checkSize,
  checkValues,
  limitsOf,
  type DecodeLimits,
  type Limits,
} from '../../limits.ts'
import { isJsonType } from '../../media-type.ts'
import { emptyParts, requireVersion, takeAttribute } from '../parts.ts'
import { AvroReader } from './reader.ts'

/** One event. Bytes stay on the memory of `body`. Throws CloudEventError. */
export function decodeAvro(body: Uint8Array, given?: DecodeLimits): CloudEvent {
  const limits = limitsOf(given)
  checkSize(body.length, limits)
  const reader = new AvroReader(body)
  const parts = emptyParts()
  let attributes = 0
  for (let count = reader.block(); count > 0; count = reader.block()) {
    checkAttributes((attributes += count), limits)
    for (; count > 0; count--) {
      const name = reader.name()
      const value = readAttribute(reader)
      if (value !== undefined) takeAttribute(parts, name, value)
    }
  }
  requireVersion(parts)
  parts.data = readData(reader, parts.datacontenttype, limits)
  reader.end()
  return adoptEvent(parts)
}

/** Union null, boolean, int, string, bytes. */
function readAttribute(reader: AvroReader): ExtensionValue | undefined {
  switch (reader.long()) {
    case 0:
      return undefined
    case 1:
      return reader.boolean()
    case 2:
      return reader.long()
    case 3:
      return reader.string()
    case 4:
      return new Uint8Array(reader.bytes())
    default:
      throw reader.broken()
  }
}

/** Union bytes, null, boolean, map, array, double, string. A string is the content, or a JSON string where the type says
 *  JSON or nothing, as in the JSON format. */
function readData(reader: AvroReader, type: unknown, limits: Limits): EventData | undefined {
  const branch = reader.long()
  switch (branch) {
    case 0:
      return bytesData(reader.bytes())
    case 1:
      return undefined
    case 2:
      return jsonText(String(reader.boolean()))
    case 3:
      return jsonText(readMap(reader, readMember, 1, { limits, values: 0 }))
    case 4:
      return jsonText(readArray(reader, 1, { limits, values: 0 }))
    case 5:
      return jsonText(numberText(reader))
    case 6: {
      const text = reader.string()
      return typeof type === 'string' && !isJsonType(type) ? textData(text) : jsonText(JSON.stringify(text))
    }
    default:
      throw reader.broken()
  }
}

/** Parsed from text, so that every key becomes a member of its own. */
function jsonText(text: string): EventData {
  return { kind: 'json', value: freezeParsed(parseJson(text, 'data')), text }
}

/** How many values have been read so far. */
type Budget = { readonly limits: Limits; values: number }

type ReadValue = (reader: AvroReader, depth: number, budget: Budget) => string

function readMap(reader: AvroReader, readValue: ReadValue, depth: number, budget: Budget): string {
  checkDepth(depth, budget.limits)
  const members: string[] = []
  for (let count = reader.block(); count > 0; count = reader.block()) {
    checkValues((budget.values += count), budget.limits)
    for (; count > 0; count--)
      members.push(`${JSON.stringify(reader.string())}:${readValue(reader, depth + 1, budget)}`)
  }
  return `{${members.join(',')}}`
}

function readArray(reader: AvroReader, depth: number, budget: Budget): string {
  checkDepth(depth, budget.limits)
  const items: string[] = []
  for (let count = reader.block(); count > 0; count = reader.block()) {
    checkValues((budget.values += count), budget.limits)
    for (; count > 0; count--) items.push(readRecord(reader, depth + 1, budget))
  }
  return `[${items.join(',')}]`
}

/** Members of the payload's own object: null, boolean, record, double, string. */
const readMember: ReadValue = (reader, depth, budget) => {
  switch (reader.long()) {
    case 0:
      return 'null'
    case 1:
      return String(reader.boolean())
    case 2:
      return readRecord(reader, depth, budget)
    case 3:
      return numberText(reader)
    case 4:
      return JSON.stringify(reader.string())
    default:
      throw reader.broken()
  }
}

/** AvroCloudEventData: an object whose members are null, boolean, map of such records, array of them, double, string. */
const readRecord: ReadValue = (reader, depth, budget) => readMap(reader, readInner, depth, budget)

const readInner: ReadValue = (reader, depth, budget) => {
  switch (reader.long()) {
    case 0:
      return 'null'
    case 1:
      return String(reader.boolean())
    case 2:
      return readMap(reader, readRecord, depth, budget)
    case 3:
      return readArray(reader, depth, budget)
    case 4:
      return numberText(reader)
    case 5:
      return JSON.stringify(reader.string())
    default:
      throw reader.broken()
  }
}

/** JSON has no NaN and no infinity, but a negative zero. */
function numberText(reader: AvroReader): string {
  const number = reader.double()
  if (!Number.isFinite(number)) throw new CloudEventError('data', 'json')
  return Object.is(number, -0) ? '-0' : String(number)
}
