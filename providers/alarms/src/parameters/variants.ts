/**
 * The parameters of the three feeds (feeds.md §2.1), read onto what is stored: nothing for CREATE, the configuration for
 * UPDATE. Each reader throws SLUICE_FEED_PARAMETER with the contract's text.
 */
import {
  dstOf,
  type AlarmConfig,
  type CronConfig,
  type IntervalConfig,
  type OnceConfig,
  type OperatorOptions,
  type Variant,
} from '../config.ts'
import { firstFire, parseSchedule } from '../cron/calendar.ts'
import { type Moment, readFutureDate } from '../dates.ts'
import { readExclusionDates } from '../exclusion-dates.ts'
import { parameterError } from '../parameter-error.ts'
import { readTimeZone, type TimeZone } from '../time-zone.ts'
import { createTimetable } from '../timetable.ts'
import {
  patched,
  readCatchUpMax,
  readCatchUpWindow,
  readDeleteAfterFire,
  readJitter,
  readMaxTriggers,
  readMinutes,
  readMisfireGrace,
  readOnceGrace,
  readPayload,
  readStrict,
  readWord,
  type Parameters,
} from './values.ts'

export type ReadOptions = OperatorOptions & {
  readonly nowMs: number
  /** The trigger's name decides the second of an expression that leaves it open (ALARM_DELAY_LIMIT). */
  readonly triggerName: string
  /** Package parameter of the operator: no finer than a minute. */
  readonly limitCronFields?: boolean
}

const sharedNames = [
  'trigger_payload',
  'maxTriggers',
  'catchUp',
  'catchUpWindow',
  'catchUpMax',
  'misfireGrace',
  'jitter',
]
const scheduled = ['startDate', 'stopDate', 'exclusionDates']
/** Parameters that move a cron's instants: with one of them the first fire is looked for again. */
const timingNames = [...scheduled, 'cron', 'schedule', 'timezone', 'cronDialect', 'dst']

/** What UPDATE may change, by variant; also every parameter CREATE knows beside the reserved ones. */
export const updatable: Readonly<Record<Variant, readonly string[]>> = {
  cron: [...sharedNames, ...timingNames, 'strict'],
  interval: [...sharedNames, ...scheduled, 'minutes'],
  once: [...sharedNames, 'date', 'deleteAfterFire', 'onceGrace'],
}

export function readCronConfig(stored: CronConfig | undefined, given: Parameters, options: ReadOptions): CronConfig {
  const cron = patched<unknown>(stored?.cron, given.cron === undefined ? given.schedule : given.cron, value => value)
  if (!cron) throw parameterError('alarms trigger feed is missing the cron parameter')
  const cronDialect = patched(stored?.cronDialect, given.cronDialect, value =>
    readWord('cronDialect', value, ['standard', 'openwhisk']),
  )
  const dst = patched(stored?.dst, given.dst, value => readWord('dst', value, ['wallclock', 'legacy']))
  const readZone = (value: unknown) => readTimeZone(value, cronDialect === 'openwhisk')?.name
  const timezone = patched(stored?.timezone, given.timezone, readZone)
  const base = { ...readShared(stored, given), variant: 'cron' as const, cron: cron as string }
  const config: CronConfig = {
    ...base,
    timezone,
    cronDialect,
    dst,
    strict: patched(stored?.strict, given.strict, readStrict),
    exclusionDates: patched(stored?.exclusionDates, given.exclusionDates, readExclusionDates),
  }
  const schedule = parseSchedule({ cron, timezone, dialect: cronDialect ?? 'standard', dst: dstOf(config) })
  if (options.limitCronFields && isFinerThanMinutes(schedule.canonical)) {
    throw parameterError('cron pattern is limited to 5 fields with 1 minute as the finest granularity')
  }
  const dates = readPeriod(stored, given, options.nowMs, schedule.timeZone)
  if (config.maxTriggers !== undefined && dates.stopDate && (isGiven(given.maxTriggers) || isGiven(given.stopDate))) {
    throw parameterError('maxTriggers is not allowed when the stopDate parameter is specified')
  }
  const dated = { ...config, ...dates }
  if (stored === undefined || timingNames.some(name => given[name] !== undefined)) {
    firstFire(schedule, Math.max(options.nowMs, dates.startDate?.ms ?? 0))
    checkFirstFire(dated, options)
  }
  return dated
}

export function readIntervalConfig(
  stored: IntervalConfig | undefined,
  given: Parameters,
  options: ReadOptions,
): IntervalConfig {
  const minutes = given.minutes === undefined && stored ? stored.minutes : readMinutes(given.minutes)
  const shared = readShared(stored, given)
  const { startDate, stopDate } = readPeriod(stored, given, options.nowMs, zoneOf(given), startsSoon(options.nowMs))
  if (shared.maxTriggers !== undefined && stopDate && (isGiven(given.maxTriggers) || isGiven(given.stopDate))) {
    throw parameterError('maxTriggers is not supported for the interval trigger feed')
  }
  return {
    ...shared,
    variant: 'interval',
    minutes,
    startDate: startDate ?? startsSoon(options.nowMs),
    stopDate,
    exclusionDates: patched(stored?.exclusionDates, given.exclusionDates, readExclusionDates),
  }
}

export function readOnceConfig(stored: OnceConfig | undefined, given: Parameters, options: ReadOptions): OnceConfig {
  const date = given.date === undefined && stored ? stored.date : readDate(given, options.nowMs)
  return {
    ...readShared(stored, given),
    variant: 'once',
    date,
    deleteAfterFire: patched(stored?.deleteAfterFire, given.deleteAfterFire, readDeleteAfterFire) ?? 'false',
    onceGrace: patched(stored?.onceGrace, given.onceGrace, readOnceGrace),
  }
}

function readShared(stored: AlarmConfig | undefined, given: Parameters) {
  return {
    payload: given.trigger_payload === undefined && stored ? stored.payload : readPayload(given.trigger_payload),
    strict: stored?.strict,
    maxTriggers: patched(stored?.maxTriggers, given.maxTriggers, readMaxTriggers),
    catchUp: patched(stored?.catchUp, given.catchUp, value => readWord('catchUp', value, ['none', 'latest', 'all'])),
    catchUpWindow: patched(stored?.catchUpWindow, given.catchUpWindow, readCatchUpWindow),
    catchUpMax: patched(stored?.catchUpMax, given.catchUpMax, readCatchUpMax),
    misfireGrace: patched(stored?.misfireGrace, given.misfireGrace, readMisfireGrace),
    jitter: patched(stored?.jitter, given.jitter, readJitter),
  }
}

/** `startDate` and `stopDate`, each in the future when it is given now, and in order. `start` stands in for no start. */
function readPeriod(
  stored: { startDate?: Moment; stopDate?: Moment } | undefined,
  given: Parameters,
  nowMs: number,
  timeZone: TimeZone | undefined,
  start?: Moment,
): { startDate?: Moment; stopDate?: Moment } {
  const read = (name: string) => (value: unknown) => readFutureDate(name, value, nowMs, timeZone)
  const startDate = patched(stored?.startDate, given.startDate, read('startDate')) ?? start
  const stopDate = patched(stored?.stopDate, given.stopDate, read('stopDate'))
  if (startDate && stopDate && startDate.ms >= stopDate.ms) {
    const stopIsNew = isGiven(given.stopDate)
    throw parameterError(
      stopIsNew
        ? `stopDate parameter '${stopDate.given}' must be greater than the startDate parameter '${startDate.given}'`
        : `startDate parameter '${startDate.given}' must be less than the stopDate parameter '${stopDate.given}'`,
    )
  }
  return { startDate, stopDate }
}

function readDate(given: Parameters, nowMs: number): Moment {
  if (!given.date) throw parameterError('alarms once trigger feed is missing the date parameter')
  return readFutureDate('date', given.date, nowMs, zoneOf(given))
}

function checkFirstFire(config: CronConfig, options: ReadOptions): void {
  if (!config.stopDate) return
  const first = createTimetable(config, options.triggerName, options).next(options.nowMs)
  if (first === undefined) {
    throw parameterError('the first scheduled trigger fire is not until after the stop date')
  }
}

function isFinerThanMinutes(canonical: string): boolean {
  const fields = canonical.split(' ')
  return fields.length === 6 && fields[0] !== '0'
}

/** An interval starts half a minute after it was made, unless it says when. */
function startsSoon(nowMs: number): Moment {
  return { given: nowMs + 30_000, ms: nowMs + 30_000 }
}

function zoneOf(given: Parameters): TimeZone | undefined {
  return readTimeZone(given.timezone)
}

function isGiven(value: unknown): boolean {
  return value !== undefined && value !== null
}
