import { describe, expect, it } from 'vitest'
import { firstFire, parseSchedule, type Dialect } from './calendar.ts'

const from = Date.parse('2028-02-10T12:00:00Z')

function schedule(cron: unknown, dialect: Dialect = 'standard', timezone?: unknown) {
  return parseSchedule({ cron, timezone, dialect, dst: dialect === 'standard' ? 'wallclock' : 'legacy' })
}

function fires(cron: string, count: number, dialect: Dialect = 'standard', after = from): string[] {
  const { next } = schedule(cron, dialect)
  const found: string[] = []
  for (let at = next(after); at !== undefined && found.length < count; at = next(at)) {
    found.push(new Date(at).toISOString().slice(0, 19))
  }
  return found
}

const notValid = (cron: unknown) => `cron pattern '${String(cron)}' is not valid`

describe('a cron expression', () => {
  it('that is none is refused by its own text [feed:A2]', () => {
    expect(() => schedule('***')).toThrow(notValid('***'))
  })

  it('that is a number is refused [feed:A3]', () => {
    expect(() => schedule(1511111111111)).toThrow(notValid(1511111111111))
    expect(() => schedule(1511111111111, 'openwhisk')).toThrow(notValid(1511111111111))
  })

  it('with six fields starts with the second [feed:A6]', () => {
    expect(fires('*/30 * * * * *', 2)).toEqual(['2028-02-10T12:00:30', '2028-02-10T12:01:00'])
  })

  it('counts months from 1 [feed:A9]', () => {
    expect(fires('0 9 1 1 *', 1)).toEqual(['2029-01-01T09:00:00'])
  })

  it('counts months from 0 in the openwhisk dialect [feed:A10]', () => {
    expect(fires('0 9 1 1 *', 1, 'openwhisk')).toEqual(['2029-02-01T09:00:00'])
  })

  it('has a month 12, which the openwhisk dialect has not [feed:A11]', () => {
    expect(fires('0 0 1 12 *', 1)).toEqual(['2028-12-01T00:00:00'])
    expect(() => schedule('0 0 1 12 *', 'openwhisk')).toThrow(notValid('0 0 1 12 *'))
  })

  it('takes 7 for Sunday, which the openwhisk dialect does not [feed:A12]', () => {
    expect(fires('0 0 * * 7', 1)).toEqual(['2028-02-13T00:00:00'])
    expect(() => schedule('0 0 * * 7', 'openwhisk')).toThrow(notValid('0 0 * * 7'))
  })

  it('with day and weekday fires on either [feed:A13]', () => {
    expect(fires('0 0 13 * 5', 3)).toEqual(['2028-02-11T00:00:00', '2028-02-13T00:00:00', '2028-02-18T00:00:00'])
  })

  it('may be a preset, but not in the openwhisk dialect [feed:A14]', () => {
    expect(fires('@daily', 1)).toEqual(['2028-02-11T00:00:00'])
    expect(() => schedule('@daily', 'openwhisk')).toThrow(notValid('@daily'))
  })

  it('knows the last day of a month [feed:A15]', () => {
    expect(fires('0 0 L * *', 1)).toEqual(['2028-02-29T00:00:00'])
  })

  it('knows the second Friday of a month [feed:A16]', () => {
    expect(fires('0 0 * * 5#2', 2)).toEqual(['2028-02-11T00:00:00', '2028-03-10T00:00:00'])
  })

  it('lets a range run over midnight [feed:A17]', () => {
    const { hour } = schedule('0 22-4 * * *').fields
    expect(hour.values).toEqual([0, 1, 2, 3, 4, 22, 23])
  })

  it('that never fires is refused, and rewritten in the openwhisk dialect [feed:A18]', () => {
    expect(() => firstFire(schedule('0 0 30 2 *'), from)).toThrow("cron pattern '0 0 30 2 *' never fires")
    expect(fires('0 0 30 2 *', 1, 'openwhisk')).toEqual(['2028-03-30T00:00:00'])
    expect(fires('0 0 30 1 *', 1, 'openwhisk', from)).toEqual(['2029-02-01T00:00:00'])
    expect(fires('0 0 31 1 *', 1, 'openwhisk', from)).toEqual(['2029-02-02T00:00:00'])
  })

  it('that fires first in more than five years is refused', () => {
    const after2096 = Date.parse('2096-03-01T00:00:00Z')
    expect(() => firstFire(schedule('0 0 29 2 *'), after2096)).toThrow('never fires')
    expect(firstFire(schedule('0 0 29 2 *'), from)).toBe(Date.parse('2028-02-29T00:00:00Z'))
  })

  it('has no step of zero [feed:A19]', () => {
    expect(() => schedule('*/0 * * * *')).toThrow(notValid('*/0 * * * *'))
  })

  it('may have blanks around it, which its canonical form has not [feed:A20]', () => {
    expect(schedule('  0  0 * * *  ').canonical).toBe('0 0 * * *')
  })

  it('may step from a number, wrap a weekday range, but has no year [feed:A74]', () => {
    expect(schedule('5/10 * * * *').fields.minute.values).toEqual([5, 15, 25, 35, 45, 55])
    expect(schedule('0 0 * * FRI-MON').fields.weekday.values).toEqual([0, 1, 5, 6])
    expect(() => schedule('0 0 0 1 1 * 2030')).toThrow(notValid('0 0 0 1 1 * 2030'))
  })

  it('with a complete day field follows the weekday only in the openwhisk dialect [feed:A76]', () => {
    const mondays = ['2028-02-14T00:00:00', '2028-02-21T00:00:00', '2028-02-28T00:00:00']
    expect(fires('0 0 1-31 * 1', 3, 'openwhisk')).toEqual(mondays)
    const tens = ['2028-02-11T00:00:00', '2028-02-13T00:00:00', '2028-02-20T00:00:00', '2028-02-21T00:00:00']
    expect(fires('0 0 */10 * 0', 4, 'openwhisk')).toEqual(tens)
  })

  it('imported with a month of 0 keeps its instants [feed:A70]', () => {
    expect(fires('0 0 1 0 *', 2, 'openwhisk')).toEqual(['2029-01-01T00:00:00', '2030-01-01T00:00:00'])
  })

  it.each([
    ['22-4/2', [0, 2, 4, 22]],
    ['23-1', [0, 1, 23]],
    ['*/7', [0, 7, 14, 21]],
  ])('counts the step of %s on through the wrap', (hours, values) => {
    expect(schedule(`0 ${hours} * * *`).fields.hour.values).toEqual(values)
  })

  it.each([
    ['7-2', [0, 1, 2]],
    ['5-7', [0, 5, 6]],
    ['SAT-SUN', [0, 6]],
    ['7/3', [0, 3, 6]],
    ['MON/2', [1, 3, 5]],
  ])('reads the weekdays %s with Sunday at either end', (weekdays, values) => {
    expect(schedule(`0 0 * * ${weekdays}`).fields.weekday.values).toEqual(values)
  })

  it.each(['+MON', 'FRI#L', '1-5#2', 'MONDAY', 'L', '1#6', '8', '*/8', '', '2030-01-01T00:00:00 * * * *', 'H'])(
    'does not take the weekday %s',
    weekday => {
      expect(() => schedule(`0 0 * * ${weekday}`)).toThrow(notValid(`0 0 * * ${weekday}`))
    },
  )

  it('that is endless is refused before it is read', () => {
    expect(() => schedule(`${'1,'.repeat(100_000)}1 * * * *`)).toThrow('is not valid')
  })

  it('stays the second after a fraction, and is strictly later', () => {
    const { next } = schedule('* * * * * *')
    expect(next(from + 999)).toBe(from + 1000)
    expect(next(from)).toBe(from + 1000)
    expect(next(from - 1)).toBe(from)
  })

  it('answers the same when asked again for a time in between, before or after', () => {
    const { next } = schedule('0 * * * *')
    const hour = 3_600_000
    expect([from, from + 5, from + hour - 1, from + hour, from - 1, from].map(at => (next(at) ?? 0) - from)).toEqual([
      hour,
      hour,
      hour,
      2 * hour,
      0,
      hour,
    ])
  })

  it('is right also when there are more schedules than parsed calendars are kept', () => {
    const schedules = Array.from({ length: 300 }, (_, n) => schedule(`${n % 60} ${n % 24} * * *`))
    const once = schedules.map(({ next }) => next(from))
    expect(schedules.map(({ next }) => next(from))).toEqual(once)
    expect(once[0]).toBe(Date.parse('2028-02-11T00:00:00Z'))
  })
})
