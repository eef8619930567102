/** The `standard` dialect (feeds.md §2.1): months 1-12, weekdays 0-7, `?`, `L`, `LW`, `nW`, `d#n`, `dL`, wrap-around. */
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

const presets: Readonly<Record<string, string>> = {
  '@yearly': '0 0 1 1 *',
  '@annually': '0 0 1 1 *',
  '@monthly': '0 0 1 * *',
  '@weekly': '0 0 * * 0',
  '@daily': '0 0 * * *',
  '@midnight': '0 0 * * *',
  '@hourly': '0 * * * *',
}

const monthNames = ['JAN', 'FEB', 'MAR', 'APR', 'MAY', 'JUN', 'JUL', 'AUG', 'SEP', 'OCT', 'NOV', 'DEC']
const weekdayNames = ['SUN', 'MON', 'TUE', 'WED', 'THU', 'FRI', 'SAT']

type Grammar = {
  readonly low: number
  readonly high: number
  /** Highest number that may be written: 7 is Sunday too. */
  readonly writtenHigh: number
  readonly names?: readonly string[]
}

const grammars: Readonly<Record<FieldName, Grammar>> = {
  second: { low: 0, high: 59, writtenHigh: 59 },
  minute: { low: 0, high: 59, writtenHigh: 59 },
  hour: { low: 0, high: 23, writtenHigh: 23 },
  day: { low: 1, high: 31, writtenHigh: 31 },
  month: { low: 1, high: 12, writtenHigh: 12, names: monthNames },
  weekday: { low: 0, high: 6, writtenHigh: 7, names: weekdayNames },
}

/** Reads an expression or preset. Throws CronSyntaxError when it is not one of this dialect. */
export function readStandard(cron: string): CronFields {
  const { texts, secondGiven } = splitFields(presets[cron.trim().toLowerCase()] ?? cron)
  const fields = Object.fromEntries(fieldNames.map((name, index) => [name, readField(name, texts[index] ?? '')]))
  return { ...(fields as Record<FieldName, Field>), secondGiven }
}

function readField(name: FieldName, text: string): Field {
  const grammar = grammars[name]
  const values: number[] = []
  const special: string[] = []
  const items = text.toUpperCase().split(',')
  for (const item of items) {
    const word = readSpecial(name, item, items.length)
    if (word === undefined) values.push(...readItem(grammar, item))
    else special.push(word)
  }
  const set = sortedSet(values)
  const complete = set.length === grammar.high - grammar.low + 1
  return {
    values: set,
    any: text === '*' || text === '?',
    wild: complete || items.some(item => /^[*?]/.test(item)),
    special,
  }
}

/** `*`, `*\/s`, `v`, `v/s` (from v to the end), `v-v`, `v-v/s`. */
function readItem(grammar: Grammar, item: string): number[] {
  const match = /^(?:([*?])|(\w+)(?:-(\w+))?)(?:\/(\d+))?$/.exec(item)
  if (!match) throw new CronSyntaxError(item)
  const [, star, from, to, stepText] = match
  const size = grammar.high - grammar.low + 1
  const step = stepText === undefined ? 1 : Number(stepText)
  if (step < 1 || step > size) throw new CronSyntaxError(item)
  if (star !== undefined) return stepped(grammar.low, grammar.high, step)
  const first = readValue(grammar, from ?? '')
  if (to !== undefined) return rangeValues(grammar, first, readValue(grammar, to), step)
  if (stepText !== undefined) return stepped(first % (grammar.high + 1), grammar.high, step)
  return [first % (grammar.high + 1)]
}

/** A range may run over the end of the field; its step then counts on through the wrap. 7 is Sunday at either end. */
function rangeValues(grammar: Grammar, first: number, last: number, step: number): number[] {
  const { low, high } = grammar
  const size = high - low + 1
  const start = first > high && last < first ? first - size : first
  const end = last < start ? last + size : last
  return stepped(start, end, step).map(value => ((value - low) % size) + low)
}

function readValue(grammar: Grammar, text: string): number {
  const named = grammar.names?.indexOf(text) ?? -1
  if (named >= 0) return named + grammar.low
  const value = /^\d+$/.test(text) ? Number(text) : NaN
  if (!(value >= grammar.low && value <= grammar.writtenHigh)) throw new CronSyntaxError(text)
  return value
}

/** The calendar's spelling of an item only it can resolve, or undefined for an ordinary item. */
function readSpecial(name: FieldName, item: string, itemsInField: number): string | undefined {
  if (name === 'day') {
    if (item === 'L' || (item === 'LW' && itemsInField === 1)) return item
    const nearest = /^(\d+)W$/.exec(item)
    return nearest ? `${readValue(grammars.day, nearest[1] ?? '')}W` : undefined
  }
  if (name === 'weekday') {
    const match = /^(\w+?)(L|#[1-5])$/.exec(item)
    return match ? `${readValue(grammars.weekday, match[1] ?? '') % 7}${match[2]}` : undefined
  }
  return undefined
}
