/** The parameters `date`, `startDate` and `stopDate` (feeds.md §2.1). */
import { parameterError } from './parameter-error.ts'
import { instantOf, utc, type TimeZone } from './time-zone.ts'

/** A date parameter: shown as it was given (a number stays a number), used as epoch ms. */
export type Moment = { readonly given: string | number; readonly ms: number }

const isoDate = /^([+-]\d{6}|\d{4})(-\d\d(-\d\d)?)?([T ]\d\d:?\d\d(:?\d\d([.,]\d+)?)?)?\s*(Z|[+-]\d\d(:?\d\d)?)?$/i

/**
 * Reads a date parameter: epoch ms as a number or digits, or an ISO 8601 string; one without zone is in `timeZone`, else
 * UTC. Throws `<name> parameter '<v>' is not a valid Date` and `... must be in the future`.
 */
export function readFutureDate(name: string, value: unknown, nowMs: number, timeZone?: TimeZone): Moment {
  const ms = typeof value === 'number' ? value : typeof value === 'string' ? parseDate(value.trim(), timeZone) : NaN
  if (Number.isNaN(new Date(ms).getTime())) {
    throw parameterError(`${name} parameter '${shown(value)}' is not a valid Date`)
  }
  if (ms <= nowMs) throw parameterError(`${name} parameter '${shown(value)}' must be in the future`)
  return { given: value as string | number, ms: Math.floor(ms) }
}

function parseDate(text: string, timeZone: TimeZone = utc): number {
  if (/^-?\d{5,}$/.test(text)) return Number(text)
  const match = isoDate.exec(text)
  if (!match) return NaN
  const iso = normalised(text, match)
  const ms = Date.parse(iso)
  return match[7] === undefined ? instantOf(ms, timeZone.zone) : ms
}

/** ECMAScript takes the extended format with seconds' dots and a `T` only; without zone it must not read local time. */
function normalised(text: string, [, , , , time, , , zone]: RegExpExecArray): string {
  const date = /^([+-]\d{6}|\d{4})(-\d\d(-\d\d)?)?/.exec(text)?.[0] ?? ''
  const digits = (time ?? '').slice(1).replaceAll(':', '').replace(',', '.')
  const clock = digits === '' ? '00:00:00' : `${digits.slice(0, 2)}:${digits.slice(2, 4)}:${digits.slice(4) || '00'}`
  const offset = zone === undefined || /^z$/i.test(zone) ? 'Z' : zone.replace(/^([+-]\d\d):?(\d\d)?$/, offsetText)
  return `${date}T${clock}${offset}`
}

function offsetText(_: string, hours: string, minutes = '00'): string {
  return `${hours}:${minutes}`
}

function shown(value: unknown): string {
  return typeof value === 'string' || typeof value === 'number' ? String(value) : JSON.stringify(value)
}
