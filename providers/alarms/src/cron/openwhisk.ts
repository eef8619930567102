/**
 * The `openwhisk` dialect: what the cron library of OpenWhisk's alarms made of an expression, bit for bit (feeds.md
 * §2.1): months 0-11, weekdays 0-6, names anywhere, no presets, and days no listed month has are rewritten.
 */
import {
  type CronFields,
  CronSyntaxError,
  type Field,
  type FieldName,
  fieldNames,
  sortedSet,
  splitFields,
  stepped,
} from './fields.ts'

/** Any run of up to three letters is a name, in whatever field it stands. */
const names: Readonly<Record<string, number>> = {
  ...{ jan: 0, feb: 1, mar: 2, apr: 3, may: 4, jun: 5, jul: 6, aug: 7, sep: 8, oct: 9, nov: 10, dec: 11 },
  ...{ sun: 0, mon: 1, tue: 2, wed: 3, thu: 4, fri: 5, sat: 6 },
}

const limits: Readonly<Record<FieldName, readonly [low: number, high: number]>> = {
  second: [0, 59],
  minute: [0, 59],
  hour: [0, 23],
  day: [1, 31],
  month: [0, 11],
  weekday: [0, 6],
}

const daysOfMonth = [31, 29, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31]

/** Reads an expression. Throws CronSyntaxError when the library would have refused it. */
export function readOpenwhisk(cron: string): CronFields {
  const { texts, secondGiven } = splitFields(cron.replace(/[a-z]{1,3}/gi, replaceName))
  const values = Object.fromEntries(
    fieldNames.map((name, index) => [name, readField(texts[index] ?? '', ...limits[name])]),
  ) as Record<FieldName, number[]>
  values.day = existingDays(values.day, values.month)
  const fields = Object.fromEntries(fieldNames.map(name => [name, toField(name, values[name])]))
  return { ...(fields as Record<FieldName, Field>), secondGiven }
}

function replaceName(name: string): string {
  const value = names[name.toLowerCase()]
  if (value === undefined) throw new CronSyntaxError(name)
  return String(value)
}

function readField(text: string, low: number, high: number): number[] {
  if (text.split(',').some(item => item.indexOf('*') > 0)) throw new CronSyntaxError(text)
  const items = text.replaceAll('*', `${low}-${high}`).split(',')
  return sortedSet(items.flatMap(item => readItem(item, low, high)))
}

function readItem(item: string, low: number, high: number): number[] {
  const match = /^(\d+)(?:-(\d+))?(?:\/(\d+))?$/.exec(item)
  if (!match || match[3] === '0') throw new CronSyntaxError(item)
  const first = Number(match[1])
  // An upper end of 0 counts as none, a step of 00 as 1: the library tests for truth.
  const last = Number(match[2] ?? 0) || undefined
  const step = Number(match[3] ?? 0) || 1
  if (first < low || first > high || (last !== undefined && (last > high || last < first))) {
    throw new CronSyntaxError(item)
  }
  return stepped(first, last ?? (match[3] === undefined ? first : high), step)
}

/** When no listed month has any of the listed days, each becomes the day modulo the length of the last listed month. */
function existingDays(days: readonly number[], months: readonly number[]): number[] {
  const lengths = months.map(month => daysOfMonth[month] ?? 31)
  const lastLength = lengths.at(-1) ?? 31
  if (days.some(day => lengths.some(length => day <= length))) return [...days]
  return sortedSet(days.map(day => day % lastLength))
}

function toField(name: FieldName, values: readonly number[]): Field {
  const [low, high] = limits[name]
  const any = values.length === high - low + 1
  return { values: name === 'month' ? values.map(month => month + 1) : values, any, wild: any, special: [] }
}
