import { parseJson, stringifyJson, type FireRecord } from '../model/index.ts'
import { spliceObject } from './arguments.ts'

/** What the actions of a fire get as payload, by its input form (design.md §6, rest-api.md §7.2). */
export type ActionInput = { /** JSON text of an object. */ readonly text: string; readonly keys: readonly string[] }

/**
 * `event`: the event as it is. Otherwise OpenWhisk's form: trigger parameters < `__ow_headers` < payload; `legacy+ce` adds
 * the event's attributes under `ce`, or under `__ce` when the payload has a `ce` of its own.
 */
export function actionInput(fire: FireRecord): ActionInput {
  const keys = Object.keys(parseJson(fire.payload) as Record<string, unknown>)
  if (fire.input === 'event') return fire.wholeEvent ? { text: fire.payload, keys } : eventAround(fire)
  const own = new Set(keys)
  const members = new Map<string, string>()
  for (const { key, value } of fire.trigger.parameters) members.set(key, stringifyJson(value))
  members.set('__ow_headers', JSON.stringify(fire.headers))
  if (fire.input === 'legacy+ce') members.set(own.has('ce') ? '__ce' : 'ce', JSON.stringify(fire.event))
  for (const key of own) members.delete(key)
  const text = spliceObject(
    [...members].map(([key, value]) => `${JSON.stringify(key)}:${value}`),
    fire.payload,
    keys.length === 0,
  )
  return { text, keys: [...members.keys(), ...keys] }
}

/** The event that a plain fire became on arrival (events.md §1). */
function eventAround(fire: FireRecord): ActionInput {
  return {
    text: `${JSON.stringify(fire.event).slice(0, -1)},"data":${fire.payload}}`,
    keys: [...Object.keys(fire.event), 'data'],
  }
}
