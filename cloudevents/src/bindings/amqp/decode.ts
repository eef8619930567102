/** AMQP binding, reading (AMQP protocol binding §3): application properties `cloudEvents_…` or `cloudEvents:…` with values
 *  of their own types, or a document. AMQP 0-9-1 carries the same in its headers. */
import { Buffer } from 'node:buffer'
import { isDate, isUint8Array } from 'node:util/types'
import { bytesData } from '../../data.ts'
import { CloudEventError } from '../../error.ts'
import type { ExtensionValue } from '../../event.ts'
import { checkSize, limitsOf, type DecodeLimits } from '../../limits.ts'
import { eventOfAttributes } from '../attributes.ts'
import { decodeDocument, onlyEvent, type DecodedEvent, type DecodedEvents } from '../content-mode.ts'
import type { Amqp091Message, AmqpMessage } from './message.ts'

/**
 * The one event of a message, or nothing for a plain message: one without a CloudEvents content type that lacks one of
 * `cloudEvents_id`, `_source`, `_type` and `_specversion`. Throws CloudEventError; of kind `unsupported` for an unknown
 * format, `batch` for a batch.
 */
export function decodeAmqp(message: AmqpMessage, limits?: DecodeLimits): DecodedEvent | undefined {
  return onlyEvent(read(message, limits, true))
}

/** The same for AMQP 0-9-1. */
export function decodeAmqp091(message: Amqp091Message, limits?: DecodeLimits): DecodedEvent | undefined {
  return decodeAmqp(fromAmqp091(message), limits)
}

/** All events of a message, also of a batch (which the binding does not define, but some send). */
export function decodeAmqpEvents(message: AmqpMessage, limits?: DecodeLimits): DecodedEvents | undefined {
  return read(message, limits, false)
}

function read(
  { contentType, applicationProperties = {}, payload }: AmqpMessage,
  limits: DecodeLimits | undefined,
  one: boolean,
): DecodedEvents | undefined {
  const body = typeof payload === 'string' ? Buffer.from(payload) : payload
  const document = decodeDocument(contentType, body, limits, one)
  if (document !== undefined) return document
  checkSize(body.length, limitsOf(limits))
  const data = body.length === 0 ? undefined : bytesData(body)
  const event = eventOfAttributes(attributesOf(applicationProperties), contentType, data, limitsOf(limits))
  return event && { mode: 'binary', events: [event] }
}

/** The same for AMQP 0-9-1. */
export function decodeAmqp091Events(message: Amqp091Message, limits?: DecodeLimits): DecodedEvents | undefined {
  return decodeAmqpEvents(fromAmqp091(message), limits)
}

function fromAmqp091({ content, properties }: Amqp091Message): AmqpMessage {
  return { contentType: properties.contentType, applicationProperties: properties.headers, payload: content }
}

function* attributesOf(properties: Readonly<Record<string, unknown>>): Generator<readonly [string, ExtensionValue]> {
  for (const key of Object.keys(properties)) {
    if (!/^cloudEvents[:_]/.test(key)) continue
    const name = key.slice('cloudEvents:'.length)
    const value = attributeOf(name, properties[key])
    if (value !== undefined) yield [name, value]
  }
}

function attributeOf(name: string, value: unknown): ExtensionValue | undefined {
  switch (typeof value) {
    case 'string':
    case 'boolean':
    case 'number':
      return value
    case 'bigint':
      // Longs of AMQP 1.0. What is no Integer of CloudEvents is refused as one.
      return Number(value)
    case 'undefined':
      return undefined
  }
  if (value === null) return undefined
  if (isUint8Array(value)) return new Uint8Array(value)
  if (isDate(value)) return timestampText(name, value)
  const { '!': kind, value: seconds } = value as { '!'?: unknown; value?: unknown }
  if (kind === 'timestamp') return timestampText(name, new Date(Number(seconds) * 1000))
  throw new CloudEventError(name, 'extension-type')
}

/** RFC 3339 in UTC, without a fraction where there is none. */
function timestampText(name: string, date: Date): string {
  if (Number.isNaN(date.getTime()) || date.getUTCFullYear() < 0 || date.getUTCFullYear() > 9999) {
    throw new CloudEventError(name, 'timestamp')
  }
  return date.toISOString().replace('.000Z', 'Z')
}
