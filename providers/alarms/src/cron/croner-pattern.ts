import { type CronFields, type Field } from './fields.ts'

/** How wall-clock times that do not exist or exist twice are treated (feeds.md §2.1, `dst`). */
export type Dst = 'wallclock' | 'legacy'

/**
 * The six-field pattern croner is given. croner calls a job fixed when second, minute and hour have neither `*` nor a
 * step: a fixed job runs once, after a gap and in the first pass of an overlap; any other follows real instants. So the
 * spelling of the values decides: `2,3` is fixed, `2-2/1,3-3/1` is not.
 */
export function cronerPattern(fields: CronFields, dst: Dst): string {
  const fixed = dst === 'wallclock' && !fields.hour.wild
  const time = (field: Field, size: number): string => {
    if (fixed) return field.values.join(',')
    return field.values.length === size ? '*' : field.values.map(value => `${value}-${value}/1`).join(',')
  }
  return [
    time(fields.second, 60),
    time(fields.minute, 60),
    time(fields.hour, 24),
    date(fields.day),
    date(fields.month),
    date(fields.weekday),
  ].join(' ')
}

function date(field: Field): string {
  return field.any ? '*' : [...field.values, ...field.special].join(',')
}
