import { readCron, type Dialect } from './calendar.ts'
import type { CronFields } from './fields.ts'

/**
 * A sentence for the answer when the other dialect would fire an expression at other times (`0 9 1 1 *`: January here,
 * February in OpenWhisk). Nothing when both agree, or when only one of them takes the expression.
 */
export function dialectWarning(cron: unknown, dialect: Dialect): string | undefined {
  const other = dialect === 'standard' ? 'openwhisk' : 'standard'
  const fields = readCron(cron, dialect)
  let otherFields: CronFields
  try {
    otherFields = readCron(cron, other)
  } catch {
    return undefined
  }
  if (sameTimes(fields, otherFields)) return undefined
  const months = dialect === 'standard' ? 'months are 1-12' : 'months are 0-11'
  return (
    `cron pattern '${String(cron)}' fires at other times with cronDialect '${other}'; ` +
    `it was read as '${dialect}' (${months})`
  )
}

/** Both fire on the same dates and times, weekdays and clock changes aside. Neither has items like `L`: openwhisk does not. */
function sameTimes(a: CronFields, b: CronFields): boolean {
  const sameTime = (['second', 'minute', 'hour'] as const).every(name => sameValues(a[name].values, b[name].values))
  return (
    sameTime &&
    dates().every(([month, day, weekday]) => firesOn(a, month, day, weekday) === firesOn(b, month, day, weekday))
  )
}

function sameValues(a: readonly number[], b: readonly number[]): boolean {
  return a.length === b.length && a.every((value, index) => value === b[index])
}

/** Every date of every kind of year: month 1-12, day, weekday 0-6. */
function dates(): [month: number, day: number, weekday: number][] {
  const lengths = [31, 29, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31]
  return lengths.flatMap((length, index) =>
    Array.from({ length: length * 7 }, (_, n): [number, number, number] => [index + 1, Math.floor(n / 7) + 1, n % 7]),
  )
}

/** Two restricted day fields mean either, one means that one (cron's rule). */
function firesOn({ month, day, weekday }: CronFields, m: number, d: number, w: number): boolean {
  if (!month.values.includes(m)) return false
  const onDay = day.values.includes(d)
  const onWeekday = weekday.values.includes(w)
  return day.any || weekday.any ? onDay && onWeekday : onDay || onWeekday
}
