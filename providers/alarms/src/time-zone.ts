/** Time zone names, and wall-clock time in a zone, on the zone data of the ICU that Node carries. */
import { parameterError } from './parameter-error.ts'

export type TimeZone = {
  /** As it is stored and shown: in ICU's case where only the case differs, else as given. */
  readonly name: string
  /** ICU's own name, which computing uses: few enough to keep a formatter for each. */
  readonly zone: string
}

export const utc: TimeZone = { name: 'UTC', zone: 'UTC' }

/** ICU also takes its own abbreviations (`PST`, `IST`), which are no IANA names; these without a slash are. */
const slashless = new Set(
  (
    'CET CST6CDT Cuba EET EST EST5EDT Egypt Eire GB GB-Eire GMT GMT+0 GMT-0 GMT0 Greenwich HST Hongkong Iceland Iran ' +
    'Israel Jamaica Japan Kwajalein Libya MET MST MST7MDT NZ NZ-CHAT Navajo PRC PST8PDT Poland Portugal ROC ROK ' +
    'Singapore Turkey UCT UTC Universal W-SU WET Zulu'
  ).split(' '),
)
const slashlessInAnyCase = new Map([...slashless].map(name => [name.toLowerCase(), name]))

/**
 * Reads the `timezone` parameter: none or '' is UTC (undefined here). With `exactCase` (openwhisk dialect) a name in
 * another case is refused. Throws `Invalid timezone.`; offsets such as `+02:00` are no names.
 */
export function readTimeZone(value: unknown, exactCase = false): TimeZone | undefined {
  if (value === undefined || value === null || value === '') return undefined
  if (typeof value !== 'string' || !/^[A-Za-z]/.test(value)) throw parameterError('Invalid timezone.')
  const zone = icuName(value)
  if (zone === undefined || zone.startsWith('SystemV/')) throw parameterError('Invalid timezone.')
  const name = value.includes('/') ? slashedName(value, zone) : slashlessInAnyCase.get(value.toLowerCase())
  if (name === undefined || (exactCase && name !== value)) throw parameterError('Invalid timezone.')
  if (exactCase && !looksCapitalised(name)) throw parameterError('Invalid timezone.')
  return { name, zone }
}

function icuName(name: string): string | undefined {
  try {
    return new Intl.DateTimeFormat('en-US', { timeZone: name }).resolvedOptions().timeZone
  } catch {
    return undefined
  }
}

/** ICU answers renamed zones with the other name (`Asia/Kolkata` -> `Asia/Calcutta`): that is not stored. */
function slashedName(given: string, zone: string): string {
  return given.toLowerCase() === zone.toLowerCase() ? zone : given
}

/** ICU does not tell the right case of a renamed zone; every part of every name starts with a capital, none is all. */
function looksCapitalised(name: string): boolean {
  return !name.includes('/') || (name.split('/').every(part => /^[A-Z]/.test(part)) && !/[A-Z]{4}/.test(name))
}

const formatters = new Map<string, Intl.DateTimeFormat>()

function formatter(zone: string): Intl.DateTimeFormat {
  const known = formatters.get(zone)
  if (known) return known
  const made = new Intl.DateTimeFormat('en-US', {
    timeZone: zone,
    hourCycle: 'h23',
    ...{ year: 'numeric', month: 'numeric', day: 'numeric', hour: 'numeric', minute: 'numeric', second: 'numeric' },
  })
  formatters.set(zone, made)
  return made
}

/** What clocks in the zone show at an instant (epoch ms), written as the epoch ms of the same reading in UTC. */
export function wallTimeMs(instantMs: number, zone: string): number {
  if (zone === 'UTC') return instantMs
  const read: Record<string, number> = {}
  for (const part of formatter(zone).formatToParts(instantMs)) read[part.type] = Number(part.value)
  const { year = 0, month = 1, day = 1, hour = 0, minute = 0, second = 0 } = read
  return Date.UTC(year, month - 1, day, hour, minute, second) + (((instantMs % 1000) + 1000) % 1000)
}

/** The first instant (epoch ms) at which clocks in the zone show `wallMs`; one in a gap is moved on by the gap. */
export function instantOf(wallMs: number, zone: string): number {
  const dayMs = 86_400_000
  const candidates = [wallMs - dayMs, wallMs + dayMs].map(near => wallMs - (wallTimeMs(near, zone) - near))
  const [before = wallMs, after = wallMs] = candidates
  const existing = [Math.min(before, after), Math.max(before, after)].find(ms => wallTimeMs(ms, zone) === wallMs)
  return existing ?? before
}

/** `YYYY-MM-DD` of an instant in the zone. */
export function localDate(instantMs: number, zone: string): string {
  return new Date(wallTimeMs(instantMs, zone)).toISOString().slice(0, 10)
}
