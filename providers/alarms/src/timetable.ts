import { dstOf, type AlarmConfig, type CronConfig, type IntervalConfig, type OperatorOptions } from './config.ts'
import { parseSchedule } from './cron/calendar.ts'
import { withoutDates } from './exclusion-dates.ts'
import { delaySeconds } from './jitter.ts'
import { utc } from './time-zone.ts'

/** The instants of one subscription, between its start and its stop. */
export type Timetable = {
  /** The first instant (epoch ms, whole seconds) strictly after `afterMs`, or undefined when there is none. */
  readonly next: (afterMs: number) => number | undefined
}

/** `triggerName` and the operator's options decide the second of expressions that leave it open. */
export function createTimetable(config: AlarmConfig, triggerName: string, options: OperatorOptions): Timetable {
  if (config.variant === 'once') return onceTimetable(wholeSecond(config.date.ms))
  if (config.variant === 'interval') return { next: withoutDates(grid(config), config.exclusionDates ?? [], utc.zone) }
  return cronTimetable(config, triggerName, options)
}

function onceTimetable(dueMs: number): Timetable {
  return { next: afterMs => (afterMs < dueMs ? dueMs : undefined) }
}

/** `startDate + k * minutes`, in real time: clock changes do not move it. */
function grid({ startDate, stopDate, minutes }: IntervalConfig): (afterMs: number) => number | undefined {
  const periodMs = minutes * 60_000
  const firstMs = wholeSecond(startDate.ms)
  const lastMs = stopDate
    ? wholeSecond(startDate.ms + Math.floor((stopDate.ms - startDate.ms) / periodMs) * periodMs)
    : Infinity
  return afterMs => {
    const due = afterMs < firstMs ? firstMs : firstMs + (Math.floor((afterMs - firstMs) / periodMs) + 1) * periodMs
    return due <= lastMs ? due : undefined
  }
}

function cronTimetable(config: CronConfig, triggerName: string, options: OperatorOptions): Timetable {
  const strict = config.strict ?? options.defaultStrict
  // Only what is asked at every fire is kept: the fields would be most of a subscription's memory.
  const { next: scheduled, timeZone } = parseSchedule({
    cron: config.cron,
    timezone: config.timezone,
    dialect: config.cronDialect ?? 'standard',
    dst: dstOf(config),
    second: strict || options.alarmDelayLimit === 0 ? 0 : delaySeconds(triggerName, options.alarmDelayLimit),
  })
  const next = withoutDates(scheduled, config.exclusionDates ?? [], (timeZone ?? utc).zone)
  const beforeStart = config.startDate ? wholeSecond(config.startDate.ms) - 1000 : -Infinity
  const stopMs = config.stopDate?.ms ?? Infinity
  return {
    next: afterMs => {
      const due = next(Math.max(afterMs, beforeStart))
      return due !== undefined && due <= stopMs ? due : undefined
    },
  }
}

/** Instants are whole seconds; one is never before the date that was asked for. */
function wholeSecond(ms: number): number {
  return Math.ceil(ms / 1000) * 1000
}
