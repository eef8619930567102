import { describe, expect, it } from 'vitest'
import { parseAlarm, parseInterval } from './parameters/lifecycle.ts'
import { createTimetable } from './timetable.ts'

const nowMs = Date.parse('2030-01-01T12:00:00Z')
const operator = { alarmDelayLimit: 0, defaultStrict: false }
const options = { ...operator, nowMs, triggerName: 'periodic' }

function fires(
  parsed: ReturnType<typeof parseAlarm> | ReturnType<typeof parseInterval>,
  count: number,
  set = operator,
) {
  if ('error' in parsed) throw new Error(parsed.error)
  const { next } = createTimetable(parsed.config, 'periodic', set)
  const found: string[] = []
  for (let at = next(nowMs); at !== undefined && found.length < count; at = next(at)) {
    found.push(new Date(at).toISOString().slice(0, 19))
  }
  return found
}

describe('the instants of an interval', () => {
  it('begin half a minute after it was made and keep their distance [feed:A32]', () => {
    const two = ['2030-01-01T12:00:30', '2030-01-01T12:02:30']
    expect(fires(parseInterval({ minutes: 2 }, options), 2)).toEqual(two)
  })

  it('are real time, whatever clocks do [feed:A33]', () => {
    const start = Date.parse('2024-03-30T00:00:00Z')
    const made = parseInterval({ minutes: 13 * 60, startDate: start }, { ...options, nowMs: start - 1 })
    if ('error' in made) throw new Error(made.error)
    const { next } = createTimetable(made.config, 'T', operator)
    const found: number[] = []
    for (let at = start - 1; found.length < 6;) found.push((at = next(at) ?? NaN))
    expect(found).toEqual(found.map((_, k) => start + k * 13 * 3_600_000))
  })

  it('stay on the grid of a start that is long past', () => {
    const made = parseInterval({ minutes: 7, startDate: nowMs + 1000 }, options)
    if ('error' in made) throw new Error(made.error)
    const later = nowMs + 1000 + 1_000_000 * 420_000
    expect(createTimetable(made.config, 'T', operator).next(later)).toBe(later + 420_000)
  })

  it('end with the last that fits [feed:A35]', () => {
    const startDate = nowMs + 60_000
    const made = parseInterval({ minutes: 1, startDate, stopDate: startDate + 100_000 }, options)
    expect(fires(made, 9)).toEqual(['2030-01-01T12:01:00', '2030-01-01T12:02:00'])
  })

  it('are whole seconds, not before the start', () => {
    const made = parseInterval({ minutes: 1, startDate: nowMs + 1500, stopDate: nowMs + 61_500 }, options)
    expect(fires(made, 9)).toEqual(['2030-01-01T12:00:02', '2030-01-01T12:01:02'])
  })
})

describe('the instants of a cron', () => {
  it('leave out the excluded days of its zone [feed:A69]', () => {
    const cron = { cron: '0 23 * * *', timezone: 'America/New_York', exclusionDates: ['2030-01-02', '2030-01-03'] }
    expect(fires(parseAlarm(cron, options), 2)).toEqual(['2030-01-02T04:00:00', '2030-01-05T04:00:00'])
  })

  it('pass over an excluded day at once, however often it would fire', () => {
    const cron = { cron: '* * * * * *', exclusionDates: '2030-01-01, 2030-01-02' }
    expect(fires(parseAlarm(cron, options), 1)).toEqual(['2030-01-03T00:00:00'])
  })

  it('include its start and its stop', () => {
    const cron = { cron: '0 * * * *', startDate: nowMs + 3_600_000, stopDate: nowMs + 2 * 3_600_000 }
    expect(fires(parseAlarm(cron, options), 9)).toEqual(['2030-01-01T13:00:00', '2030-01-01T14:00:00'])
  })

  it('have the second of the trigger where the operator spreads them [feed:A56]', () => {
    const spread = { alarmDelayLimit: 30, defaultStrict: false }
    expect(fires(parseAlarm({ cron: '* * * * *' }, options), 1, spread)).toEqual(['2030-01-01T12:00:26'])
    expect(fires(parseAlarm({ cron: '5 * * * * *' }, options), 1, spread)).toEqual(['2030-01-01T12:00:05'])
  })

  it('are strict where the user or the operator says so [feed:A57]', () => {
    const strict = parseAlarm({ cron: '* * * * *', strict: 'True' }, options)
    expect(fires(strict, 1, { alarmDelayLimit: 30, defaultStrict: false })).toEqual(['2030-01-01T12:01:00'])
    const byDefault = parseAlarm({ cron: '* * * * *' }, options)
    expect(fires(byDefault, 1, { alarmDelayLimit: 30, defaultStrict: true })).toEqual(['2030-01-01T12:01:00'])
  })
})
