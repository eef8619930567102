/** Values by their `xsi:type`, whose prefixes are literal (XML format §2.3 and §3.3). */
import { Buffer } from 'node:buffer'
import { bytesData, textData } from '../../data.ts'
import { CloudEventError } from '../../error.ts'
import type { EventData, ExtensionValue } from '../../event.ts'
import { isTimestamp } from '../../timestamp.ts'
import { isUri, isUriReference } from '../../uri.ts'

/** The value of an attribute's element; without a type it is a string. Throws CloudEventError. */
export function attributeValue(name: string, type: string | undefined, text: string): ExtensionValue {
  switch (type) {
    case undefined:
    case 'ce:string':
      return text
    case 'ce:boolean':
      return booleanOf(name, text.trim())
    case 'ce:integer':
      return integerOf(name, text.trim())
    case 'ce:binary':
      return base64Bytes(name, text)
    case 'ce:uri':
      return checked(text, isUri(text), name, 'uri')
    case 'ce:uriRef':
      return checked(text, isUriReference(text), name, 'uri-reference')
    case 'ce:timestamp':
      return checked(text, isTimestamp(text), name, 'timestamp')
    default:
      throw new CloudEventError(name, 'xml', { detail: 'its xsi:type is not known' })
  }
}

/** Content that stands as text: `xs:string` and `xs:base64Binary`. Throws CloudEventError. */
export function dataValueOf(type: string | undefined, text: string): EventData {
  if (type === 'xs:string') return textData(text)
  if (type === 'xs:base64Binary') return bytesData(base64Bytes('data', text))
  throw new CloudEventError('data', 'xml', { detail: 'its xsi:type must be xs:string, xs:base64Binary or xs:any' })
}

function booleanOf(name: string, text: string): boolean {
  if (text !== 'true' && text !== 'false') throw new CloudEventError(name, 'boolean')
  return text === 'true'
}

function integerOf(name: string, text: string): number {
  const value = /^-?\d{1,10}$/.test(text) ? Number(text) : NaN
  if ((value | 0) !== value) throw new CloudEventError(name, 'int32')
  return value
}

/** Canonical base64; white space may stand between, as XML Schema has it. */
function base64Bytes(name: string, text: string): Uint8Array {
  const packed = text.replace(/[ \t\r\n]+/g, '')
  const bytes = Buffer.from(packed, 'base64')
  if (bytes.toString('base64') !== packed) throw new CloudEventError(name, 'base64')
  return bytes
}

function checked(text: string, holds: boolean, name: string, rule: 'uri' | 'uri-reference' | 'timestamp'): string {
  if (!holds) throw new CloudEventError(name, rule)
  return text
}
