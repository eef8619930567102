/** The documented extensions of CloudEvents with the types that their documents give them: distributed tracing, sequence,
 *  partitioning, dataref, expirytime, recordedtime, sampledrate. */
import { CloudEventError } from '../error.ts'
import type { CloudEvent, Extensions, ExtensionValue } from '../event.ts'
import { isTimestamp } from '../timestamp.ts'
import { isUriReference } from '../uri.ts'
import { emptyRecord } from '../create-event.ts'
import { isTraceparent, isTracestate } from './trace-context.ts'

/** Values by name. Timestamps lose digits below a millisecond here; the event keeps their spelling. */
export type TypedExtensions = {
  /** W3C trace context, version 00 or later. */
  readonly traceparent: string
  readonly tracestate: string
  /** Orders events of a source by comparison of code units. */
  readonly sequence: string
  readonly partitionkey: string
  /** Where the data is, in place of it or beside it (claim check). */
  readonly dataref: string
  readonly expirytime: Date
  readonly recordedtime: Date
  /** How many events this one stands for. */
  readonly sampledrate: number
}

export type TypedExtensionName = keyof TypedExtensions

/** The value of one extension, or nothing if the event has none. Integers that came as text are read. Throws
 *  CloudEventError for a value that its document does not allow. */
export function readExtension<Name extends TypedExtensionName>(
  event: Pick<CloudEvent, 'extensions'>,
  name: Name,
): TypedExtensions[Name] | undefined {
  const value = event.extensions[name]
  return value === undefined ? undefined : (codecs[name].read(name, value) as TypedExtensions[Name])
}

/** Values as extensions of an event, for `createEvent`. Throws CloudEventError as `readExtension` does. */
export function writeExtensions(values: Partial<TypedExtensions>): Extensions {
  const extensions = emptyRecord<ExtensionValue>()
  for (const name of typedExtensionNames) {
    const value = values[name]
    if (value === undefined) continue
    const written = value instanceof Date ? textOf(name, value) : value
    codecs[name].read(name, written)
    extensions[name] = written
  }
  return extensions
}

type Codec = { read(name: string, value: ExtensionValue): string | number | Date }

function text(holds: (text: string) => boolean, rule: 'trace-context' | 'empty' | 'uri-reference'): Codec {
  return {
    read(name, value) {
      if (typeof value !== 'string') throw new CloudEventError(name, 'string')
      if (!holds(value)) throw new CloudEventError(name, rule)
      return value
    },
  }
}

const timestamp: Codec = {
  read(name, value) {
    if (typeof value !== 'string' || !isTimestamp(value)) throw new CloudEventError(name, 'timestamp')
    // A Date has no leap second: it becomes the second before.
    return new Date(value.toUpperCase().replace(/:60(?=[.Z+-])/, ':59'))
  },
}

const positiveInteger: Codec = {
  read(name, value) {
    const number = typeof value === 'string' && /^-?\d{1,10}$/.test(value) ? Number(value) : value
    if (typeof number !== 'number' || (number | 0) !== number) throw new CloudEventError(name, 'int32')
    if (number <= 0) throw new CloudEventError(name, 'positive')
    return number
  },
}

const isNotEmpty = (value: string) => value !== ''

const codecs: { readonly [name in TypedExtensionName]: Codec } = {
  traceparent: text(isTraceparent, 'trace-context'),
  tracestate: text(isTracestate, 'trace-context'),
  sequence: text(isNotEmpty, 'empty'),
  partitionkey: text(isNotEmpty, 'empty'),
  dataref: text(value => value !== '' && isUriReference(value), 'uri-reference'),
  expirytime: timestamp,
  recordedtime: timestamp,
  sampledrate: positiveInteger,
}

export const typedExtensionNames = Object.keys(codecs) as readonly TypedExtensionName[]

function textOf(name: string, date: Date): string {
  const text = Number.isNaN(date.getTime()) ? '' : date.toISOString()
  if (!isTimestamp(text)) throw new CloudEventError(name, 'timestamp')
  return text
}
