/** JSON format, writing: one event or a batch as JSON text or as an object (CloudEvents JSON format §2-4). */
import { dataMember, dataValue } from '../../data.ts'
import { attributesOf, type CloudEvent } from '../../event.ts'
import { parseJson, type JsonOptions } from '../../json-codec.ts'

/** The JSON document of an event. JSON content goes in as it is spelled. Throws CloudEventError when data has no JSON. */
export function encodeJson(event: CloudEvent, options?: JsonOptions): string {
  const attributes = JSON.stringify(attributesOf(event))
  const member = dataMember(event, options)
  return member === undefined ? attributes : `${attributes.slice(0, -1)},"${member.name}":${member.text}}`
}

/** The JSON batch of events. */
export function encodeJsonBatch(events: readonly CloudEvent[], options?: JsonOptions): string {
  return `[${events.map(event => encodeJson(event, options)).join(',')}]`
}

/** The same document as an object: `{specversion, id, source, type, ..., data | data_base64}`, for actions and filters. */
export function toJsonObject(event: CloudEvent, options?: JsonOptions): Record<string, unknown> {
  const members: Record<string, unknown> = attributesOf(event)
  if (event.data?.kind === 'json') members['data'] = dataValue(event, options)
  else {
    const member = dataMember(event, options)
    if (member !== undefined) members[member.name] = parseJson(member.text, 'data', options?.json)
  }
  return members
}
