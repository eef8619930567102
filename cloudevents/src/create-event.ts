/** The one place where a CloudEvent comes into being. */
import type { CloudEvent, EventParts, Extensions, ExtensionValue } from './event.ts'
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
    extensions[name] = typeof value === 'number' ? value | 0 : typeof value === 'object' ? value.slice() : value
  }
  return Object.freeze(extensions)
}
