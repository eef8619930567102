import { isUtf8 } from 'node:buffer'
import type { Outgoing } from '../../spi/index.ts'
import type { Document } from './envelope.ts'

/** A message of a topic's log. */
export type Message = {
  /** Its place in the topic. */
  readonly sequence: number
  /** Epoch in which it was published: an earlier one means it may have been handed out before. */
  readonly epoch: number
  readonly key?: string
  readonly headers: Record<string, string>
  readonly body: Uint8Array
  readonly publishedAtMs: number
}

type StoredMessage = {
  time: number
  key?: string
  headers?: Record<string, string>
  /** The body, when it is UTF-8; the usual case. */
  text?: string
  base64?: string
}

/** JSON text of a message; its sequence is in the key. */
export function encodeMessage({ key, headers, body }: Outgoing, publishedAtMs: number): string {
  const bytes = Buffer.from(body.buffer, body.byteOffset, body.byteLength)
  const content = isUtf8(bytes)
    ? `"text":${JSON.stringify(bytes.toString())}`
    : `"base64":"${bytes.toString('base64')}"`
  const keyed = key === undefined ? '' : `,"key":${JSON.stringify(key)}`
  const headed = headers === undefined ? '' : `,"headers":${JSON.stringify(headers)}`
  return `{"time":${publishedAtMs}${keyed}${headed},${content}}`
}

export function decodeMessage(sequence: number, { epoch, body }: Document): Message {
  const { time, key, headers, text, base64 } = JSON.parse(body) as StoredMessage
  return {
    sequence,
    epoch,
    ...(key === undefined ? {} : { key }),
    headers: headers ?? {},
    body: text === undefined ? Buffer.from(base64 ?? '', 'base64') : Buffer.from(text),
    publishedAtMs: time,
  }
}
