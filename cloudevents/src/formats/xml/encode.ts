/** XML format, writing. Elements have a prefix, so that elements of the data which have no namespace keep none. */
import { Buffer } from 'node:buffer'
import { SaxesParser } from 'saxes'
import { contentText, contentTypeOf, dataBytes, dataMember } from '../../data.ts'
import { attributeText, optionalAttributes, type CloudEvent, type ExtensionValue } from '../../event.ts'
import type { JsonOptions } from '../../json-codec.ts'
import { isJsonType, isTextType, parseMediaType } from '../../media-type.ts'
import { isTimestamp } from '../../timestamp.ts'
import { isUriReference } from '../../uri.ts'
import { escaped, isXmlText } from './escape.ts'
import { eventNamespace, instanceNamespace, schemaNamespace } from './names.ts'

/**
 * One event as an `event` document. Content of an XML type that is one element goes in as elements, other text as
 * `xs:string`, bytes and text that XML cannot carry as `xs:base64Binary`. Throws CloudEventError when data has no JSON.
 */
export function encodeXml(event: CloudEvent, options?: JsonOptions): string {
  return `${declaration}${element(event, namespaces, options)}`
}

/** Any number of events as a `batch` document. */
export function encodeXmlBatch(events: readonly CloudEvent[], options?: JsonOptions): string {
  return `${declaration}<ce:batch${namespaces}>${events.map(event => element(event, '', options)).join('')}</ce:batch>`
}

const declaration = '<?xml version="1.0" encoding="UTF-8"?>\n'
const namespaces = ` xmlns:ce="${eventNamespace}" xmlns:xsi="${instanceNamespace}" xmlns:xs="${schemaNamespace}"`

function element(event: CloudEvent, attributes: string, options?: JsonOptions): string {
  let children = plain('id', event.id) + plain('source', event.source) + plain('type', event.type)
  for (const name of optionalAttributes) {
    const value = name === 'datacontenttype' ? contentTypeOf(event) : event[name]
    if (value !== undefined) children += plain(name, value)
  }
  for (const name in event.extensions) {
    const value = event.extensions[name] as ExtensionValue
    children += `<ce:${name} xsi:type="${typeOf(name, value)}">${escaped(attributeText(value))}</ce:${name}>`
  }
  return `<ce:event${attributes} specversion="1.0">${children}${dataElement(event, options)}</ce:event>`
}

function plain(name: string, value: string): string {
  return `<ce:${name}>${escaped(value)}</ce:${name}>`
}

/** Documented extensions have the types that their documents give them. */
function typeOf(name: string, value: ExtensionValue): string {
  if (typeof value === 'boolean') return 'ce:boolean'
  if (typeof value === 'number') return 'ce:integer'
  if (typeof value === 'object') return 'ce:binary'
  if ((name === 'expirytime' || name === 'recordedtime') && isTimestamp(value)) return 'ce:timestamp'
  return name === 'dataref' && isUriReference(value) ? 'ce:uriRef' : 'ce:string'
}

function dataElement(event: CloudEvent, options?: JsonOptions): string {
  if (event.data === undefined) return ''
  const text = textOf(event, options)
  if (text !== undefined && isXmlText(text)) {
    const type = contentTypeOf(event)
    if (type !== undefined && isXmlType(type) && isOneElement(text)) return wrapped('any', text)
    return wrapped('string', escaped(text))
  }
  return wrapped('base64Binary', Buffer.from(dataBytes(event, options) as Uint8Array).toString('base64'))
}

function wrapped(type: string, content: string): string {
  return `<ce:data xsi:type="xs:${type}">${content}</ce:data>`
}

/** The content where it is text, whatever holds it. */
function textOf(event: CloudEvent, options?: JsonOptions): string | undefined {
  const { data, datacontenttype: type } = event
  if (data === undefined || data.kind === 'json') return dataMember(event, options)?.text
  const isText = data.kind === 'text' || (type !== undefined && (isJsonType(type) || isTextType(type)))
  return isText ? contentText(data) : undefined
}

function isXmlType(type: string): boolean {
  const essence = parseMediaType(type)?.essence ?? ''
  return essence.endsWith('/xml') || essence.endsWith('+xml')
}

/** Whether the text is one element that stands alone, with nothing before it and nothing after it. */
function isOneElement(text: string): boolean {
  if (!/^<[^?!]/.test(text) || !text.endsWith('>')) return false
  const parser = new SaxesParser({ xmlns: true, position: false })
  let depth = 0
  let elements = 0
  let attributes = 0
  let end = -1
  parser.on('opentagstart', () => {
    depth++
    elements++
    attributes = 0
    if (depth > depthMax || elements > elementsMax) throw new Error('too much to be put into a document')
  })
  parser.on('attribute', () => {
    if (++attributes > attributesMax) throw new Error('too much to be put into a document')
  })
  parser.on('closetag', () => {
    if (--depth === 0) end = parser.position
  })
  try {
    parser.write(text).close()
  } catch {
    return false
  }
  return end === text.length
}

/** What has more goes as text: readers bound documents. */
const depthMax = 500
const elementsMax = 50_000
const attributesMax = 500
