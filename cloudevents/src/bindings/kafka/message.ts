/** A Kafka record as its client libraries have it, apart from topic, partition and offset. */

type HeaderValue = string | Uint8Array

/** What is read: values as text or bytes in UTF-8; a list for a header that is there several times. */
export type KafkaHeaders = Readonly<Record<string, HeaderValue | readonly HeaderValue[] | undefined>>

export type KafkaMessage = {
  readonly key?: string | Uint8Array | null
  /** `null` is a tombstone. */
  readonly value: string | Uint8Array | null
  readonly headers?: KafkaHeaders
}

/** What is written. */
export type EncodedKafkaMessage = {
  readonly key: string | Uint8Array | null
  readonly value: Uint8Array | null
  readonly headers: Readonly<Record<string, string>>
}
