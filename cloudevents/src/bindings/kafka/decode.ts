/** Kafka binding, reading (Kafka protocol binding §3): headers `ce_…` in plain UTF-8, or a document as the value. */
import { Buffer, isUtf8 } from 'node:buffer'
import { bytesData } from '../../data.ts'
import { CloudEventError } from '../../error.ts'
import { checkSize, limitsOf, type DecodeLimits } from '../../limits.ts'
import { bufferOf } from '../../utf8.ts'
import { eventOfAttributes, single } from '../attributes.ts'
import { decodeDocument, onlyEvent, type DecodedEvent, type DecodedEvents } from '../content-mode.ts'
import type { KafkaHeaders, KafkaMessage } from './message.ts'

/**
 * The one event of a record, or nothing for a plain record: one without a CloudEvents content type that lacks `ce_id`,
 * `ce_source`, `ce_type` or `ce_specversion`. The record's key is no part of the event. A binary record without a value is
 * an event without data. Throws CloudEventError; of kind `unsupported` for an unknown format, `batch` for a batch.
 */
export function decodeKafka(message: KafkaMessage, limits?: DecodeLimits): DecodedEvent | undefined {
  return onlyEvent(read(message, limits, true))
}

/** All events of a record, also of a batch (which the binding does not define, but some send). */
export function decodeKafkaEvents(message: KafkaMessage, limits?: DecodeLimits): DecodedEvents | undefined {
  return read(message, limits, false)
}

function read(
  { value, headers = {} }: KafkaMessage,
  limits: DecodeLimits | undefined,
  one: boolean,
): DecodedEvents | undefined {
  const contentType = headerOf(headers, 'content-type')
  const body = value === null ? undefined : typeof value === 'string' ? Buffer.from(value) : value
  const document = decodeDocument(contentType, body ?? new Uint8Array(0), limits, one)
  if (document !== undefined) return document
  checkSize(body?.length ?? 0, limitsOf(limits))
  const event = eventOfAttributes(attributesOf(headers), contentType, body && bytesData(body), limitsOf(limits))
  return event && { mode: 'binary', events: [event] }
}

function* attributesOf(headers: KafkaHeaders): Generator<readonly [string, string]> {
  for (const header in headers) {
    if (!header.startsWith('ce_')) continue
    const name = header.slice(3)
    const value = headerOf(headers, header, name)
    if (value !== undefined) yield [name, value]
  }
}

function headerOf(headers: KafkaHeaders, header: string, attribute = 'datacontenttype'): string | undefined {
  const given = headers[header]
  const value = Array.isArray(given) ? single(attribute, given as readonly string[]) : (given as string | Uint8Array)
  if (value === undefined || typeof value === 'string') return value
  if (!isUtf8(value)) throw new CloudEventError(attribute, 'utf8')
  return bufferOf(value).toString('utf8')
}
