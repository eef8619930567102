/** Binary mode of the bindings whose properties carry plain values: Kafka, MQTT and AMQP. */
import { adoptEvent } from '../create-event.ts'
import { CloudEventError } from '../error.ts'
import { optionalAttributes, type CloudEvent, type EventData, type ExtensionValue } from '../event.ts'
import { emptyParts, takeAttribute } from '../formats/parts.ts'
import { checkAttributes, type Limits } from '../limits.ts'

/**
 * The event of a binary message, or nothing if not all of id, source, type and specversion are there: then it is a plain
 * message (feeds that require events refuse it there). The content type wins over an attribute that repeats it. Throws
 * CloudEventError.
 */
export function eventOfAttributes(
  attributes: Iterable<readonly [name: string, value: ExtensionValue]>,
  contentType: string | undefined,
  data: EventData | undefined,
  limits: Limits,
): CloudEvent | undefined {
  const parts = emptyParts()
  let count = 0
  for (const [name, value] of attributes) {
    checkAttributes(++count, limits)
    takeAttribute(parts, name, value)
  }
  if (!isComplete(parts)) return undefined
  parts.datacontenttype = contentType ?? parts.datacontenttype
  parts.data = data
  return adoptEvent(parts)
}

/** The attributes that a binary message carries beside its content type, in a fixed order. */
export function attributesForMessage(event: CloudEvent, take: (name: string, value: ExtensionValue) => void): void {
  take('specversion', event.specversion)
  take('id', event.id)
  take('source', event.source)
  take('type', event.type)
  for (const name of optionalAttributes) {
    const value = event[name]
    if (value !== undefined && name !== 'datacontenttype') take(name, value)
  }
  for (const name in event.extensions) take(name, event.extensions[name] as ExtensionValue)
}

/** Of several values of a property there must be one. Throws CloudEventError `doubled`. */
export function single<T>(name: string, values: readonly T[]): T | undefined {
  if (values.length > 1) throw new CloudEventError(name, 'doubled')
  return values[0]
}

function isComplete({ specversion, id, source, type }: ReturnType<typeof emptyParts>): boolean {
  return specversion !== undefined && id !== undefined && source !== undefined && type !== undefined
}
