/** Messages of AMQP 1.0, and of 0-9-1 as RabbitMQ's users have it. */

/** What application properties and header tables hold. A timestamp is a Date, or `{ '!': 'timestamp', value }` in seconds as
 *  the library `amqplib` has it. */
export type AmqpValue = string | number | bigint | boolean | Uint8Array | Date | AmqplibTimestamp | null | undefined

export type AmqplibTimestamp = { readonly '!': 'timestamp'; readonly value: number }

/** Of AMQP 1.0: property `content-type`, application properties, data section. */
export type AmqpMessage = {
  readonly contentType?: string | undefined
  readonly applicationProperties?: Readonly<Record<string, unknown>> | undefined
  readonly payload: string | Uint8Array
}

export type EncodedAmqpMessage = {
  readonly contentType: string | undefined
  readonly applicationProperties: Readonly<Record<string, string | number | boolean | Uint8Array>>
  readonly payload: Uint8Array
}

/** Of AMQP 0-9-1, in the form of `amqplib`. */
export type Amqp091Message = {
  readonly content: string | Uint8Array
  readonly properties: {
    readonly contentType?: string | undefined
    readonly headers?: Readonly<Record<string, unknown>> | undefined
  }
}

export type EncodedAmqp091Message = {
  readonly content: Uint8Array
  readonly properties: {
    readonly contentType?: string
    readonly headers: Readonly<Record<string, string | number | boolean | Uint8Array>>
  }
}
