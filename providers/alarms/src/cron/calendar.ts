/**
 * A cron expression as a calendar: the normaliser's fields (standard.ts, openwhisk.ts) on croner, which knows dates,
 * zones and what happens when clocks change.
 */
import { bounds } from '@sluice/core/model'
import { Cron } from 'croner'
import { parameterError } from '../parameter-error.ts'
import { readTimeZone, utc, type TimeZone } from '../time-zone.ts'
import { type Dst, cronerPattern } from './croner-pattern.ts'
import { type CronFields, CronSyntaxError } from './fields.ts'
import { readOpenwhisk } from './openwhisk.ts'
import { readStandard } from './standard.ts'

export type Dialect = 'standard' | 'openwhisk'
export type { Dst } from './croner-pattern.ts'

export type ScheduleRequest = {
  /** As the user gave it; what is no string is no pattern. */
  cron: unknown
  timezone?: unknown
  dialect: Dialect
  dst: Dst
  /** The second to fire at where the expression leaves it open (0-59, default 0). */
  second?: number
}

/** When a cron expression is due. Small: the parsed calendar behind it is kept in a bounded cache. */
export type Schedule = {
  readonly given: string
  /** The expression without superfluous blanks. */
  readonly canonical: string
  readonly fields: CronFields
  /** Undefined is UTC. */
  readonly timeZone: TimeZone | undefined
  /** The first instant (epoch ms, whole seconds) strictly after `afterMs`, or undefined when there is none. */
  readonly next: (afterMs: number) => number | undefined
}

/**
 * Reads a cron expression. Throws SLUICE_FEED_PARAMETER with the text `cron pattern '<cron>' is not valid` or
 * `Invalid timezone.` (feeds.md §2.1). Whether it ever fires is `firstFire`'s question.
 */
export function parseSchedule({ cron, timezone, dialect, dst, second = 0 }: ScheduleRequest): Schedule {
  const fields = readCron(cron, dialect)
  const timeZone = readTimeZone(timezone, dialect === 'openwhisk')
  const pattern = cronerPattern(fields.secondGiven ? fields : withSecond(fields, second), dst)
  const zone = (timeZone ?? utc).zone
  return {
    given: String(cron),
    canonical: String(cron).trim().replace(/\s+/g, ' '),
    fields,
    timeZone,
    next: afterMs => nextOf(pattern, zone, afterMs),
  }
}

/** The fields of an expression. Throws `cron pattern '<cron>' is not valid`. */
export function readCron(cron: unknown, dialect: Dialect): CronFields {
  try {
    if (typeof cron !== 'string') throw new CronSyntaxError('not a string')
    return dialect === 'openwhisk' ? readOpenwhisk(cron) : readStandard(cron)
  } catch (error) {
    if (!(error instanceof CronSyntaxError)) throw error
    throw parameterError(`cron pattern '${String(cron)}' is not valid`)
  }
}

/** The first instant after `nowMs`. Throws `cron pattern '<cron>' never fires` if there is none within 5 years. */
export function firstFire(schedule: Schedule, nowMs: number): number {
  const first = schedule.next(nowMs)
  const limit = new Date(nowMs)
  limit.setUTCFullYear(limit.getUTCFullYear() + bounds.alarms.neverFiresYears)
  if (first === undefined || first > limit.getTime()) {
    throw parameterError(`cron pattern '${schedule.given}' never fires`)
  }
  return first
}

function withSecond(fields: CronFields, second: number): CronFields {
  return { ...fields, second: { values: [second], any: false, wild: false, special: [] } }
}

/** croner's object takes 80 KB, so only those in use are kept; making one again costs 0.15 ms. */
type Calendar = { readonly cron: Cron; afterMs: number; nextMs: number | undefined }

const calendars = new Map<string, Calendar>()

function openCalendar(pattern: string, zone: string): Calendar {
  const key = `${zone} ${pattern}`
  const known = calendars.get(key)
  if (known) {
    if (calendars.size > bounds.alarms.calendarsMax / 2) {
      calendars.delete(key)
      calendars.set(key, known)
    }
    return known
  }
  const cron = new Cron(pattern, { timezone: zone, mode: '6-part', fixedTimeRule: 'no-wildcard', paused: true })
  const made: Calendar = { cron, afterMs: NaN, nextMs: undefined }
  if (calendars.size >= bounds.alarms.calendarsMax) calendars.delete(calendars.keys().next().value ?? key)
  calendars.set(key, made)
  return made
}

/** Thousands of subscriptions share a schedule and ask at the same moment: the last answer is remembered. */
function nextOf(pattern: string, zone: string, afterMs: number): number | undefined {
  const calendar = openCalendar(pattern, zone)
  const { nextMs } = calendar
  if (nextMs !== undefined && afterMs >= calendar.afterMs && afterMs < nextMs) return nextMs
  calendar.afterMs = afterMs
  calendar.nextMs = calendar.cron.nextRun(new Date(Math.floor(afterMs / 1000) * 1000))?.getTime()
  return calendar.nextMs
}
