/** The rules of CloudEvents 1.0.2 (core §3) for each attribute. */
import { isUint8Array } from 'node:util/types'
import { CloudEventError } from './error.ts'
import type { EventData, EventParts } from './event.ts'
import { isJsonType, parseMediaType } from './media-type.ts'
import { isWellFormed, textFault } from './text.ts'
import { isTimestamp } from './timestamp.ts'
import { isUri, isUriReference } from './uri.ts'

/**
 * `produced`: an event of our own, which keeps every rule. `accepted`: one that somebody else made, where three habits of
 * the field are let through: names over 20 characters (the specification only says SHOULD), line breaks and tabs in
 * extensions (the conformance samples have them), and a Protobuf type URL as `dataschema` (the Protobuf format's own
 * example has one, though it is no absolute URI).
 */
export type Strictness = 'produced' | 'accepted'

/** Throws CloudEventError for the first rule that the parts break. The static types are not relied upon. */
export function validate(event: EventParts, strictness: Strictness = 'produced'): void {
  if (event.specversion !== undefined) checkSpecversion(event.specversion)
  checkId(event.id)
  checkSource(event.source)
  checkType(event.type)
  if (event.subject !== undefined) checkText('subject', event.subject)
  if (event.time !== undefined) checkTime(event.time)
  if (event.datacontenttype !== undefined) checkDatacontenttype(event.datacontenttype)
  if (event.dataschema !== undefined) checkDataschema(event.dataschema, strictness)
  if (event.extensions !== undefined) {
    for (const name of Object.keys(event.extensions)) {
      const value: unknown = event.extensions[name]
      if (value !== undefined) checkExtension(name, value, strictness)
    }
  }
  if (event.data !== undefined) checkData(event.data, event.datacontenttype)
}

function checkSpecversion(value: unknown): void {
  if (value === '1.0') return
  checkText('specversion', value)
  throw new CloudEventError('specversion', 'version')
}

function checkId(value: unknown): void {
  checkText('id', value)
}

function checkType(value: unknown): void {
  checkText('type', value)
}

function checkSource(value: unknown): void {
  if (!isUriReference(checkText('source', value))) throw new CloudEventError('source', 'uri-reference')
}

function checkDataschema(value: unknown, strictness: Strictness): void {
  const text = checkText('dataschema', value)
  if (isUri(text) || (strictness === 'accepted' && typeUrl.test(text))) return
  throw new CloudEventError('dataschema', 'uri')
}

/** `host/full.name.of.Message` (google.protobuf.Any). */
const typeUrl = /^[a-z0-9-]+(\.[a-z0-9-]+)+\/[A-Za-z_]\w*(\.[A-Za-z_]\w*)+$/

function checkTime(value: unknown): void {
  if (!isTimestamp(checkText('time', value))) throw new CloudEventError('time', 'timestamp')
}

function checkDatacontenttype(value: unknown): void {
  if (value === 'application/json') return
  if (parseMediaType(checkText('datacontenttype', value)) === undefined) {
    throw new CloudEventError('datacontenttype', 'media-type')
  }
}

/** A non-empty String; missing ones are named as such. */
function checkText(attribute: string, value: unknown): string {
  if (value === undefined || value === null) throw new CloudEventError(attribute, 'required')
  if (typeof value !== 'string') throw new CloudEventError(attribute, 'string')
  if (value === '') throw new CloudEventError(attribute, 'empty')
  const fault = textFault(value)
  if (fault !== undefined) throw new CloudEventError(attribute, fault)
  return value
}

function checkExtension(name: string, value: unknown, strictness: Strictness): void {
  if (!isName(name)) throw new CloudEventError(name, 'name')
  if (strictness === 'produced' && name.length > nameLengthMax) throw new CloudEventError(name, 'name-length')
  if (reserved.has(name)) throw new CloudEventError(name, 'reserved')
  switch (typeof value) {
    case 'string': {
      const fault = textFault(value, strictness === 'accepted')
      if (fault !== undefined) throw new CloudEventError(name, fault)
      return
    }
    case 'number':
      if ((value | 0) !== value) throw new CloudEventError(name, 'int32')
      return
    case 'boolean':
      return
    case 'object':
      if (isUint8Array(value)) return
      throw new CloudEventError(name, 'extension-type')
    default:
      throw new CloudEventError(name, 'extension-type')
  }
}

/** Core §3.1: names SHOULD NOT exceed 20 characters. */
const nameLengthMax = 20

/** Names of the specification, and `data`, which formats use for the payload (core §3.1). */
const reserved: ReadonlySet<string> = new Set(
  'specversion id source type subject time datacontenttype dataschema data'.split(' '),
)

function isName(name: string): boolean {
  for (let at = 0; at < name.length; at++) {
    const code = name.charCodeAt(at)
    if (!((code >= 0x61 && code <= 0x7a) || (code >= 0x30 && code <= 0x39))) return false
  }
  return name !== ''
}

function checkData(data: EventData, datacontenttype: string | undefined): void {
  if (data.kind === 'bytes') {
    if (!isUint8Array(data.bytes)) throw new CloudEventError('data', 'data-kind')
  } else if (data.kind === 'text') {
    if (typeof data.text !== 'string') throw new CloudEventError('data', 'string')
    if (!isWellFormed(data.text)) throw new CloudEventError('data', 'surrogate')
  } else {
    if (data.value === undefined) throw new CloudEventError('data', 'json')
    if (datacontenttype !== undefined && !isJsonType(datacontenttype)) throw new CloudEventError('data', 'data-kind')
  }
}
