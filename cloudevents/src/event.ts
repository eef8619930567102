/** The CloudEvent and its parts (CloudEvents 1.0.2, core §3): data only. `createEvent` is the door that makes one. */
import { Buffer } from 'node:buffer'

/** The types of CloudEvents (core §3.1): URIs and timestamps are strings as they were spelled, Binary is bytes. */
export type ExtensionValue = string | number | boolean | Uint8Array

/** An attribute as JSON has it: Binary is base64. */
export type AttributeValue = string | number | boolean

/** Extensions by name; has no prototype, so that `extensions['constructor']` is a value of the event or nothing. */
export type Extensions = Readonly<Record<string, ExtensionValue>>

/**
 * `bytes` and `text` are the content itself, encoded as `datacontenttype` says; JSON in them is parsed when somebody asks.
 * `json` is a JSON value; `text` is its exact spelling, if it is known, so that `1.0` and numbers of 20 digits survive.
 * `typeUrl` says that bytes are a Protobuf message and which (Protobuf format §3.2: `proto_data`).
 */
export type EventData =
  | { readonly kind: 'bytes'; readonly bytes: Uint8Array; readonly typeUrl?: string }
  | { readonly kind: 'text'; readonly text: string }
  | { readonly kind: 'json'; readonly value: unknown; readonly text?: string }

declare const checked: unique symbol

/** One checked event. Frozen; neither the bytes nor the JSON value in `data` may be changed by those who read it. */
export type CloudEvent = {
  readonly specversion: '1.0'
  readonly id: string
  /** URI reference; with `id` it is the event's identity. */
  readonly source: string
  readonly type: string
  readonly subject: string | undefined
  /** RFC 3339, kept as it was spelled. */
  readonly time: string | undefined
  /** Media type of `data`; of a JSON value that has none it is application/json (JSON format §3.1). */
  readonly datacontenttype: string | undefined
  readonly dataschema: string | undefined
  readonly extensions: Extensions
  readonly data: EventData | undefined
  /** Only `createEvent` and the decoders make events, so encoders need not check again. */
  readonly [checked]: true
}

/** What an event is made of. Integers have 32 bits. */
export type EventParts = {
  readonly specversion?: '1.0'
  readonly id: string
  readonly source: string
  readonly type: string
  readonly subject?: string
  readonly time?: string
  readonly datacontenttype?: string
  readonly dataschema?: string
  readonly extensions?: Readonly<Record<string, ExtensionValue | undefined>>
  readonly data?: EventData
}

/** The optional attributes of the specification that are strings. */
export const optionalAttributes = ['subject', 'time', 'datacontenttype', 'dataschema'] as const

/** All context attributes that are set, flat and without data, as JSON has them; the record has no prototype. */
export function attributesOf(event: CloudEvent): Record<string, AttributeValue> {
  const attributes = Object.create(null) as Record<string, AttributeValue>
  attributes['specversion'] = event.specversion
  attributes['id'] = event.id
  attributes['source'] = event.source
  attributes['type'] = event.type
  for (const name of optionalAttributes) {
    const value = event[name]
    if (value !== undefined) attributes[name] = value
  }
  for (const name in event.extensions) {
    const value = event.extensions[name] as ExtensionValue
    attributes[name] = typeof value === 'object' ? base64Of(value) : value
  }
  return attributes
}

/** The canonical text of an attribute (core §3.1), for transports that carry nothing else. */
export function attributeText(value: ExtensionValue): string {
  return typeof value === 'object' ? base64Of(value) : String(value)
}

function base64Of(bytes: Uint8Array): string {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('base64')
}
