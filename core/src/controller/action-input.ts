import { parseJson, stringifyJson, type FireRecord } from '../model/index.ts'
import { spliceObject } from './arguments.ts'

/** What the actions of a fire get as payload, by its input form (design.md §6, rest-api.md §7.2). */
export type ActionInput = { /** JSON text of an object. */ readonly text: string; readonly keys: readonly string[] }

/**
 * OpenWhisk's form: trigger parameters < `__ow_headers` < payload. `data`: the same without headers' precedence changed;
 * `legacy+ce`: the payload and the attributes under `ce`; `event`: the attributes at top level and `data`.
 */
export function actionInput(fire: FireRecord): ActionInput {
  if (fire.input === 'event') return objectInput({ ...fire.event, ...eventData(fire) })
  const payload = parseJson(fire.payload) as Record<string, unknown>
  const keys = Object.keys(payload)
  const own = new Set(keys)
  const members: [string, string][] = []
  for (const { key, value } of fire.trigger.parameters) {
    if (!own.has(key) && key !== '__ow_headers') members.push([key, stringifyJson(value)])
  }
  if (!own.has('__ow_headers')) members.push(['__ow_headers', JSON.stringify(fire.headers)])
  if (fire.input === 'legacy+ce') members.push([own.has('ce') ? '__ce' : 'ce', JSON.stringify(fire.event)])
  const text = spliceObject(
    members.map(([key, value]) => `${JSON.stringify(key)}:${value}`),
    fire.payload,
    keys.length === 0,
  )
  return { text, keys: [...members.map(([key]) => key), ...keys] }
}

function eventData(fire: FireRecord): Record<string, unknown> {
  const value = parseJson(fire.payload)
  return fire.payload === '{}' && fire.event.datacontenttype === undefined ? {} : { data: value }
}

function objectInput(value: Record<string, unknown>): ActionInput {
  return { text: stringifyJson(value), keys: Object.keys(value) }
}
