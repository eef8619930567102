/**
 * The six fields of a cron expression as sets of numbers: what both dialects are read into and what the calendar is
 * given (cron text -> fields -> croner).
 */
import { bounds } from '@sluice/core/model'

export type FieldName = 'second' | 'minute' | 'hour' | 'day' | 'month' | 'weekday'

/** Months are 1-12 and weekdays 0-6 here, whatever the dialect counts. */
export type Field = {
  /** Ascending, without repeats. May be empty when `special` is not. */
  readonly values: readonly number[]
  /** The field restricts nothing: `*` in the calendar's words. For days this decides between AND and OR. */
  readonly any: boolean
  /** An item of the field starts with `*` or `?`, or every value is listed: real instants count, not wall-clock times. */
  readonly wild: boolean
  /** Items only the calendar understands: `L`, `LW`, `15W` (day), `5L`, `1#2` (weekday). */
  readonly special: readonly string[]
}

export type CronFields = Readonly<Record<FieldName, Field>> & {
  /** Five fields (or a preset): the second is free to be chosen for the user (ALARM_DELAY_LIMIT). */
  readonly secondGiven: boolean
}

export const fieldNames = ['second', 'minute', 'hour', 'day', 'month', 'weekday'] as const

/** Thrown by the readers; the calendar turns it into the text users know. */
export class CronSyntaxError extends Error {}

/** Blank-separated fields, five made six by a second of 0. Throws CronSyntaxError for another number of fields. */
export function splitFields(cron: string): { texts: readonly string[]; secondGiven: boolean } {
  if (cron.length > bounds.alarms.cronLengthMax) throw new CronSyntaxError('too long')
  const texts = cron.trim().split(/\s+/)
  if (texts.length === 5) return { texts: ['0', ...texts], secondGiven: false }
  if (texts.length === 6) return { texts, secondGiven: true }
  throw new CronSyntaxError('five or six fields are needed')
}

/** `from`, `from + step`, ... up to and including `to`. */
export function stepped(from: number, to: number, step: number): number[] {
  const values: number[] = []
  for (let value = from; value <= to; value += step) values.push(value)
  return values
}

export function sortedSet(values: Iterable<number>): number[] {
  return [...new Set(values)].sort((a, b) => a - b)
}
