/** A PUBLISH as the client library `mqtt` and others have it, apart from topic and quality of service. */

export type MqttMessage = {
  readonly payload: string | Uint8Array
  /** Of MQTT 5; a property that is there several times is a list. */
  readonly properties?: {
    readonly contentType?: string
    readonly userProperties?: Readonly<Record<string, string | readonly string[] | undefined>>
  }
}

/** What is written: for MQTT 3.1.1 without properties. */
export type EncodedMqttMessage = {
  readonly payload: Uint8Array
  readonly properties?: {
    readonly contentType?: string
    readonly userProperties?: Readonly<Record<string, string>>
  }
}

/** 4 is MQTT 3.1.1. */
export type MqttVersion = 4 | 5
