/** The one place where a CloudEvent comes into being. */
import type { CloudEvent, EventData, EventParts, Extensions, ExtensionValue } from './event.ts'
import { validate, type Strictness } from './validate.ts'

/**
 * An event from its parts; extensions that are `undefined` are left out. Pass `accepted` for parts that another system
 * made. Throws CloudEventError, which names the attribute and the rule.
 */
export function createEvent(parts: EventParts, strictness: Strictness = 'produced'): CloudEvent {
  validate(parts, strictness)
  const event = {
    specversion: '1.0',
    id: parts.id,
    source: parts.source,
    type: parts.type,
    subject: parts.subject,
    time: parts.time,
    datacontenttype: parts.datacontenttype,
    dataschema: parts.dataschema,
    extensions: extensionsOf(parts.extensions),
    data: parts.data === undefined ? undefined : Object.freeze(parts.data),
  } as CloudEvent
  return Object.freeze(event)
}

/** Parts as a decoder has found them, unchecked, in the shape of the event that they become. */
export type LooseParts = {
  specversion: unknown
  id: unknown
  source: unknown
  type: unknown
  subject: unknown
  time: unknown
  datacontenttype: unknown
  dataschema: unknown
  extensions: Record<string, ExtensionValue | undefined> | undefined
  data: EventData | undefined
}

/** `createEvent` of `accepted` parts that nobody else holds: they become the event and are not copied. */
export function adoptEvent(parts: LooseParts): CloudEvent {
  validate(parts as EventParts, 'accepted')
  parts.extensions = parts.extensions === undefined ? none : adoptExtensions(parts.extensions)
  if (parts.data !== undefined) Object.freeze(parts.data)
  return Object.freeze(parts) as CloudEvent
}

function adoptExtensions(extensions: Record<string, ExtensionValue | undefined>): Extensions {
  for (const name in extensions) {
    const value = extensions[name]
    if (value === undefined) return extensionsOf(extensions)
    if (value === 0) extensions[name] = 0
  }
  return Object.freeze(extensions) as Extensions
}

/** An empty record that inherits nothing. `Object.create(null)` would be a hash table, which costs three times as much. */
export function emptyRecord<T>(): Record<string, T> {
  return new Bare() as Record<string, T>
}

const Bare = function () {} as unknown as new () => object
Bare.prototype = Object.freeze(Object.create(null) as object)

const none: Extensions = Object.freeze(emptyRecord<ExtensionValue>())

function extensionsOf(given: EventParts['extensions']): Extensions {
  if (given === undefined) return none
  const extensions = emptyRecord<ExtensionValue>()
  for (const name of Object.keys(given)) {
    const value = given[name]
    if (value === undefined) continue
    // `| 0` turns -0 into 0: integers have one zero. Bytes are copied, for they cannot be frozen.
    extensions[name] = typeof value === 'number' ? value | 0 : typeof value === 'object' ? new Uint8Array(value) : value
  }
  return Object.freeze(extensions)
}
