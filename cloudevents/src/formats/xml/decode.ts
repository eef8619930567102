/** XML format, reading: `event` and `batch` documents. A document type is refused, so there are no entities to expand. */
import { isUtf8 } from 'node:buffer'
import { SaxesParser, type SaxesTagNS } from 'saxes'
import { adoptEvent, type LooseParts } from '../../create-event.ts'
import { CloudEventError } from '../../error.ts'
import type { CloudEvent } from '../../event.ts'
import {
  checkAttributes,
  checkCount,
  checkDepth,
  checkSize,
  checkValues,
  inBatch,
  limitsOf,
  type DecodeLimits,
  type Limits,
} from '../../limits.ts'
import { bufferOf } from '../../utf8.ts'
import { emptyParts, requireVersion, takeAttribute } from '../parts.ts'
import { attributeValue, dataValueOf } from './values.ts'
import { createFragment, type Fragment } from './fragment.ts'
import { eventNamespace, instanceNamespace } from './names.ts'

/** One event from its XML document. Elements in `data` are kept as they are spelled. Throws CloudEventError. */
export function decodeXml(document: string | Uint8Array, given?: DecodeLimits): CloudEvent {
  const limits = limitsOf(given)
  const [parts] = readDocument(textOf(document, limits), 'event', limits)
  return adoptEvent(parts as LooseParts)
}

/** The events of a `batch` document, all or none. Throws CloudEventError, whose message has the index of a broken one. */
export function decodeXmlBatch(document: string | Uint8Array, given?: DecodeLimits): CloudEvent[] {
  const limits = limitsOf(given)
  const all = readDocument(textOf(document, limits), 'batch', limits)
  return all.map((parts, index) => inBatch(index, () => adoptEvent(parts)))
}

function textOf(document: string | Uint8Array, limits: Limits): string {
  checkSize(document.length, limits)
  if (typeof document === 'string') return document
  if (!isUtf8(document)) throw new CloudEventError('body', 'utf8')
  return bufferOf(document).toString('utf8')
}

/** What is being read: a child of an event. */
type Child = {
  readonly name: string
  readonly type: string | undefined
  text: string
  readonly fragment: Fragment | undefined
}

function readDocument(text: string, root: 'event' | 'batch', limits: Limits): LooseParts[] {
  const events: LooseParts[] = []
  const eventDepth = root === 'event' ? 1 : 2
  let parts = emptyParts()
  let child: Child | undefined
  let depth = 0
  let elements = 0
  let children = 0
  let attributes = 0

  const parser = new SaxesParser({ xmlns: true })
  parser.on('doctype', () => {
    throw new CloudEventError('body', 'doctype')
  })
  parser.on('xmldecl', ({ encoding }) => {
    if (encoding !== undefined && !/^(utf-?8|us-ascii)$/i.test(encoding)) throw new CloudEventError('body', 'utf8')
  })
  parser.on('attribute', () => checkAttributes(++attributes, limits))
  parser.on('opentagstart', () => {
    attributes = 0
    checkDepth(++depth, limits, 'body')
    checkValues(++elements, limits)
    if (depth === eventDepth + 1) checkAttributes(++children, limits)
    else if (depth === eventDepth) children = 0
    child?.fragment?.begin(depth - eventDepth - 1, parser.position)
  })
  parser.on('opentag', tag => {
    if (depth > eventDepth + 1) {
      if (child?.fragment === undefined) throw new CloudEventError(child?.name ?? 'body', 'xml', noElements)
      child.fragment.open(tag, depth - eventDepth - 1, prefix => parser.resolve(prefix))
    } else if (tag.uri !== eventNamespace) throw new CloudEventError(tag.local, 'xml', wrongNamespace)
    else if (depth === eventDepth + 1) child = childOf(tag, text)
    else if (depth === eventDepth) parts = eventOf(tag)
    else if (tag.local !== root) throw wrongRoot(tag.local, root)
  })
  parser.on('closetag', () => {
    if (depth === eventDepth + 1 && child !== undefined) {
      finish(parts, child)
      child = undefined
    } else if (depth === eventDepth) {
      checkCount(events.push(parts), limits)
    } else if (depth > eventDepth + 1) child?.fragment?.close(depth - eventDepth - 1, parser.position)
    depth--
  })
  const takeText = (piece: string) => {
    if (child !== undefined && depth === eventDepth + 1) child.text += piece
    else if (depth <= eventDepth && !isBlank(piece)) throw new CloudEventError('body', 'xml', noText)
  }
  parser.on('text', takeText)
  parser.on('cdata', takeText)

  try {
    parser.write(text).close()
  } catch (error) {
    const known =
      error instanceof CloudEventError
        ? error
        : new CloudEventError('body', 'xml', { detail: `it is broken at line ${parser.line}, column ${parser.column}` })
    if (root === 'event') throw known
    throw new CloudEventError(known.attribute, known.rule, { detail: `at event ${events.length} of the batch` })
  }
  return events
}

const noElements = { detail: 'an attribute has text only' }
const noText = { detail: 'there is text between elements' }
const wrongNamespace = { detail: 'the namespace of this element is not that of CloudEvents' }

function wrongRoot(found: string, root: string): CloudEventError {
  return found === 'batch'
    ? new CloudEventError('body', 'batch')
    : new CloudEventError('body', 'xml', { detail: `its root is not '${root}'` })
}

function eventOf(tag: SaxesTagNS): LooseParts {
  if (tag.local !== 'event') throw wrongRoot(tag.local, 'event')
  const parts = emptyParts()
  parts.specversion = tag.attributes['specversion']?.value
  requireVersion(parts)
  return parts
}

function childOf(tag: SaxesTagNS, text: string): Child {
  let type: string | undefined
  for (const name in tag.attributes) {
    const attribute = tag.attributes[name]
    if (attribute?.local === 'type' && attribute.uri === instanceNamespace) type = attribute.value
  }
  const fragment = tag.local === 'data' && type === 'xs:any' ? createFragment(text) : undefined
  return { name: tag.local, type, text: '', fragment }
}

function finish(parts: LooseParts, { name, type, text, fragment }: Child): void {
  if (name !== 'data') return takeAttribute(parts, name, attributeValue(name, type, text))
  if (parts.data !== undefined) throw new CloudEventError('data', 'doubled')
  if (fragment !== undefined && !isBlank(text)) throw new CloudEventError('data', 'xml', noText)
  parts.data = fragment === undefined ? dataValueOf(type, text) : { kind: 'text', text: fragment.text() }
}

function isBlank(text: string): boolean {
  return /^[ \t\r\n]*$/.test(text)
}
