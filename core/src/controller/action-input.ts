import { parseJson, stringifyJson, type FireContent } from '../model/index.ts'
import { spliceObject } from './arguments.ts'
import type { InputForm } from './event-annotations.ts'

/** What an action of a fire gets as payload, by its input form (events.md §2, design.md §6, rest-api.md §7.2). */
export type ActionInput = { /** JSON text of an object. */ readonly text: string; readonly keys: readonly string[] }

/**
 * `event`: the event as it is. Otherwise OpenWhisk's form: trigger parameters < `__ow_headers` < payload; `legacy+ce` adds
 * the event's attributes under `ce`, or under `__ce` when the payload has a `ce` of its own. `form` is the rule's own, if
 * it has one.
 */
export function actionInput(fire: FireContent, form: InputForm | undefined = fire.input): ActionInput {
  if (form === 'event') return wholeEvent(fire)
  const data = dataOf(fire)
  const keys = Object.keys(parseJson(data) as Record<string, unknown>)
  const own = new Set(keys)
  const members = new Map<string, string>()
  for (const { key, value } of fire.trigger.parameters) members.set(key, stringifyJson(value))
  members.set('__ow_headers', JSON.stringify(fire.headers))
  if (form === 'legacy+ce') members.set(own.has('ce') ? '__ce' : 'ce', JSON.stringify(fire.event))
  for (const key of own) members.delete(key)
  const text = spliceObject(
    [...members].map(([key, value]) => `${JSON.stringify(key)}:${value}`),
    data,
    keys.length === 0,
  )
  return { text, keys: [...members.keys(), ...keys] }
}

/** JSON text of the data as an object: as it is, or `{data}` (events.md §2). */
export function dataOf(fire: FireContent): string {
  if (!fire.wholeEvent) return fire.payload
  const event = parseJson(fire.payload) as { data?: unknown; data_base64?: string }
  const { data, data_base64: base64 } = event
  if (typeof data === 'object' && data !== null && !Array.isArray(data)) return stringifyJson(data)
  if (base64 !== undefined) return JSON.stringify({ data: base64 })
  return data === undefined ? '{}' : stringifyJson({ data })
}

/** JSON text of the event that the fire is, or became on arrival (events.md §1). */
export function eventText(fire: FireContent): string {
  return fire.wholeEvent ? fire.payload : `${JSON.stringify(fire.event).slice(0, -1)},"data":${fire.payload}}`
}

function wholeEvent(fire: FireContent): ActionInput {
  const text = eventText(fire)
  return { text, keys: Object.keys(parseJson(text) as Record<string, unknown>) }
}
