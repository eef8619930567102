import { bounds } from '@sluice/core/model'
import { parameterError } from './parameter-error.ts'
import { instantOf, localDate } from './time-zone.ts'

/** Reads `exclusionDates`: a list of ISO dates, or one string with commas. */
export function readExclusionDates(value: unknown): string[] {
  const dates: unknown[] = Array.isArray(value) ? value : typeof value === 'string' ? value.split(',') : [undefined]
  const read = dates.map(date => (typeof date === 'string' ? date.trim() : ''))
  const wrong = read.some(date => !/^\d{4}-\d\d-\d\d$/.test(date) || Number.isNaN(Date.parse(date)))
  if (wrong) throw parameterError('exclusionDates parameter must be a list of dates like 2030-12-31')
  if (read.length > bounds.alarms.exclusionDatesMax) {
    throw parameterError(`exclusionDates parameter must have at most ${bounds.alarms.exclusionDatesMax} dates`)
  }
  return [...new Set(read)].sort()
}

/** `next` without the instants whose date in the zone is listed. */
export function withoutDates(
  next: (afterMs: number) => number | undefined,
  dates: readonly string[],
  zone: string,
): (afterMs: number) => number | undefined {
  if (dates.length === 0) return next
  const excluded = new Set(dates)
  return afterMs => {
    let due = next(afterMs)
    while (due !== undefined && excluded.has(localDate(due, zone))) due = next(lastSecondOfDay(due, zone))
    return due
  }
}

function lastSecondOfDay(instantMs: number, zone: string): number {
  const nextDay = Date.parse(localDate(instantMs, zone)) + 86_400_000
  return Math.max(instantMs, instantOf(nextDay, zone) - 1000)
}
