/** What an event format is to the bindings: a media type, and how events become bytes and bytes events. */
import type { CloudEvent } from './event.ts'
import type { JsonOptions } from './json-codec.ts'
import type { DecodeLimits } from './limits.ts'

/** All throw CloudEventError and nothing else. */
export type EventFormat = {
  /** Of one event, lower case, without parameters. */
  readonly mediaType: string
  /** Whether the media type may have a charset, which must then be UTF-8. */
  readonly isText: boolean
  encode(event: CloudEvent, options?: JsonOptions): Uint8Array
  decode(body: Uint8Array, limits?: DecodeLimits): CloudEvent
  /** Missing for formats that have no batches (Avro). */
  readonly batch?: {
    readonly mediaType: string
    encode(events: readonly CloudEvent[], options?: JsonOptions): Uint8Array
    /** All or none: the first broken event throws, and the message has its index. */
    decode(body: Uint8Array, limits?: DecodeLimits): CloudEvent[]
  }
}
