/** MQTT binding, reading (MQTT protocol binding §3): user properties in plain UTF-8 or a document in MQTT 5; in 3.1.1,
 *  which has no properties, always a JSON document. */
import { Buffer } from 'node:buffer'
import { bytesData } from '../../data.ts'
import { CloudEventError } from '../../error.ts'
import type { CloudEvent } from '../../event.ts'
import { decodeJson } from '../../formats/json/decode.ts'
import { checkSize, limitsOf, type DecodeLimits } from '../../limits.ts'
import { eventOfAttributes, single } from '../attributes.ts'
import { decodeDocument, onlyEvent, type DecodedEvent, type DecodedEvents } from '../content-mode.ts'
import type { MqttMessage, MqttVersion } from './message.ts'

export type MqttDecodeOptions = DecodeLimits & {
  /** Default: 5. */
  readonly version?: MqttVersion
}

/**
 * The one event of a message, or nothing for a plain message. In MQTT 5 that is one without a CloudEvents content type that
 * lacks `id`, `source`, `type` or `specversion` in its user properties; in 3.1.1 a payload that is no JSON object with these
 * and `specversion` 1.0. Throws CloudEventError; of kind `unsupported` for an unknown format, `batch` for a batch.
 */
export function decodeMqtt(message: MqttMessage, options: MqttDecodeOptions = {}): DecodedEvent | undefined {
  return onlyEvent(read(message, options, true))
}

/** All events of a message, also of a batch in MQTT 5 (which the binding does not define, but some send). */
export function decodeMqttEvents(message: MqttMessage, options: MqttDecodeOptions = {}): DecodedEvents | undefined {
  return read(message, options, false)
}

function read(
  { payload, properties = {} }: MqttMessage,
  options: MqttDecodeOptions,
  one: boolean,
): DecodedEvents | undefined {
  const body = typeof payload === 'string' ? Buffer.from(payload) : payload
  if (options.version === 4) {
    const event = decodePayload(body, options)
    return event && { mode: 'structured', events: [event] }
  }
  const { contentType, userProperties = {} } = properties
  const document = decodeDocument(contentType, body, options, one)
  if (document !== undefined) return document
  if (!claimsEvent(userProperties)) return undefined
  checkSize(body.length, limitsOf(options))
  const data = body.length === 0 ? undefined : bytesData(body)
  const event = eventOfAttributes(attributesOf(userProperties), contentType, data, limitsOf(options))
  return event && { mode: 'binary', events: [event] }
}

function* attributesOf(
  userProperties: NonNullable<NonNullable<MqttMessage['properties']>['userProperties']>,
): Generator<readonly [string, string]> {
  for (const name of Object.keys(userProperties)) {
    const given = userProperties[name]
    const value = typeof given === 'string' || given === undefined ? given : single(name, given)
    if (value !== undefined) yield [name, value]
  }
}

/** Of MQTT 3.1.1: an event, nothing, or an error for what says that it is an event and is none. */
function decodePayload(body: Uint8Array, limits: DecodeLimits): CloudEvent | undefined {
  try {
    return decodeJson(body, limits)
  } catch (error) {
    if (!(error instanceof CloudEventError) || error.kind === 'too-large' || claims(body)) throw error
    return undefined
  }
}

function claims(body: Uint8Array): boolean {
  try {
    const members: unknown = JSON.parse(Buffer.from(body).toString())
    return claimsEvent(members) && (members as { specversion: unknown }).specversion === '1.0'
  } catch {
    return false
  }
}

function claimsEvent(members: unknown): boolean {
  return typeof members === 'object' && members !== null && required.every(name => Object.hasOwn(members, name))
}

const required = ['specversion', 'id', 'source', 'type']
