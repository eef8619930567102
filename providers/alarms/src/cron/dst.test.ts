import { describe, expect, it } from 'vitest'
import { wallTimeMs } from '../time-zone.ts'
import { parseSchedule, type Dst, type Schedule } from './calendar.ts'

const minuteMs = 60_000

function between(schedule: Schedule, from: string, to: string): string[] {
  const found: string[] = []
  for (let at = Date.parse(from) - 1; ;) {
    const next = schedule.next(at)
    if (next === undefined || next >= Date.parse(to)) return found
    found.push(new Date(next).toISOString().slice(5, 16))
    at = next
  }
}

const fires = (cron: string, timezone: string, from: string, to: string, dst: Dst = 'wallclock') =>
  between(parseSchedule({ cron, timezone, dialect: 'standard', dst }), from, to)

describe('when clocks change', () => {
  const newYork = 'America/New_York'

  it('fires a time that does not exist once, right after the gap [feed:A21]', () => {
    expect(fires('30 2 * * *', newYork, '2021-03-14', '2021-03-15')).toEqual(['03-14T07:00'])
  })

  it('skips a time that does not exist with dst=legacy [feed:A22]', () => {
    expect(fires('30 2 * * *', newYork, '2021-03-14', '2021-03-16', 'legacy')).toEqual(['03-15T06:30'])
  })

  it('fires a time that exists twice once, the first time [feed:A23]', () => {
    expect(fires('30 1 * * *', newYork, '2021-11-07', '2021-11-08')).toEqual(['11-07T05:30'])
  })

  it('fires a time that exists twice twice with dst=legacy [feed:A24]', () => {
    expect(fires('30 1 * * *', newYork, '2021-11-07', '2021-11-08', 'legacy')).toEqual(['11-07T05:30', '11-07T06:30'])
  })

  it('keeps every half hour through an overlap [feed:A25]', () => {
    const halfHours = ['11-07T05:00', '11-07T05:30', '11-07T06:00', '11-07T06:30', '11-07T07:00', '11-07T07:30']
    expect(fires('*/30 * * * *', newYork, '2021-11-07T05:00Z', '2021-11-07T08:00Z')).toEqual(halfHours)
  })

  it('fires the hour that Berlin has twice once [feed:A26]', () => {
    expect(fires('0 2 * * *', 'Europe/Berlin', '2023-10-28T22:00Z', '2023-10-29T22:00Z')).toEqual(['10-29T00:00'])
  })

  it('lets times in a gap and the time right after it be one [feed:A27]', () => {
    const times = ['03-14T07:00', '03-14T07:30']
    expect(fires('0,30 2,3 * * *', newYork, '2021-03-14T05:00Z', '2021-03-15T04:00Z')).toEqual(times)
  })

  it.each([
    ['2024-10-05T13:30Z', ['10-05T15:30']],
    ['2024-04-06T13:00Z', ['04-06T15:45']],
  ])('fires once a day where clocks move by half an hour, from %s [feed:A28]', (from, expected) => {
    const to = new Date(Date.parse(from) + 86_400_000).toISOString()
    expect(fires('15 2 * * *', 'Australia/Lord_Howe', from, to)).toEqual(expected)
  })

  it('treats lists and steps of minutes as wall-clock times too [feed:A71]', () => {
    const cron = '*/30 2 * * *'
    expect(fires(cron, 'Europe/Berlin', '2024-03-30T23:00Z', '2024-03-31T22:00Z')).toEqual(['03-31T01:00'])
    const autumn = ['10-27T00:00', '10-27T00:30']
    expect(fires(cron, 'Europe/Berlin', '2024-10-26T22:00Z', '2024-10-27T23:00Z')).toEqual(autumn)
  })

  it('follows real instants where the hour is open [feed:A72]', () => {
    const cron = '0 */2 * * *'
    const spring = ['03-30T23:00', '03-31T02:00']
    expect(fires(cron, 'Europe/Berlin', '2024-03-30T23:00Z', '2024-03-31T03:00Z')).toEqual(spring)
    const autumn = ['10-26T22:00', '10-27T00:00', '10-27T01:00', '10-27T03:00']
    expect(fires(cron, 'Europe/Berlin', '2024-10-26T22:00Z', '2024-10-27T04:00Z')).toEqual(autumn)
  })

  it('fires a midnight that does not exist an hour later, or not at all with dst=legacy [feed:A73]', () => {
    const [from, to] = ['2018-11-04', '2018-11-05T12:00Z']
    expect(fires('0 0 * * *', 'America/Sao_Paulo', from, to)).toEqual(['11-04T03:00', '11-05T02:00'])
    expect(fires('0 0 * * *', 'America/Sao_Paulo', from, to, 'legacy')).toEqual(['11-05T02:00'])
  })
})

/** Every minute with what clocks show, from a day before (for times that were seen already). */
function walk(zone: string, fromMs: number, toMs: number): { at: number; wall: number }[] {
  const minutes: { at: number; wall: number }[] = []
  for (let at = fromMs - 3 * 3_600_000; at < toMs; at += minuteMs) minutes.push({ at, wall: wallTimeMs(at, zone) })
  return minutes
}

/** The contract's two sentences, minute by minute, without any calendar. */
function expected(schedule: Schedule, minutes: ReturnType<typeof walk>, fromMs: number, fixed: boolean): string[] {
  const { minute, hour } = schedule.fields
  const matches = (wallMs: number) => {
    const wall = new Date(wallMs)
    return minute.values.includes(wall.getUTCMinutes()) && hour.values.includes(wall.getUTCHours())
  }
  const found = new Set<number>()
  const seen = new Set<number>()
  let previousWall = minutes[0]?.wall ?? 0
  for (const { at, wall } of minutes) {
    const first = !seen.has(wall)
    seen.add(wall)
    if (matches(wall) && (first || !fixed)) found.add(at)
    for (let gap = previousWall + minuteMs; fixed && gap < wall; gap += minuteMs) if (matches(gap)) found.add(at)
    previousWall = wall
  }
  return [...found]
    .filter(at => at >= fromMs)
    .sort((a, b) => a - b)
    .map(at => new Date(at).toISOString().slice(5, 16))
}

describe('around every change the calendar agrees with a walk through the minutes', () => {
  const changes = [
    ['America/New_York', '2021-03-14T05:00Z'],
    ['America/New_York', '2021-11-07T04:00Z'],
    ['Europe/Berlin', '2024-03-30T23:00Z'],
    ['Europe/Berlin', '2024-10-26T22:00Z'],
    ['Australia/Lord_Howe', '2024-10-05T13:30Z'],
    ['Australia/Lord_Howe', '2024-04-06T13:00Z'],
    ['America/Sao_Paulo', '2018-11-04T00:00Z'],
    ['America/Havana', '2024-03-10T05:00Z'],
  ] as const
  const crons = ['30 2 * * *', '0,30 2,3 * * *', '*/20 1-3 * * *', '* 2 * * *', '0 0 * * *', '15 0-23/3 * * *']
  const open = ['*/30 * * * *', '0 */2 * * *', '*/45 */3 * * *', '7 0-23 * * *']

  it.each(changes)('%s from %s', (zone, from) => {
    const fromMs = Date.parse(from)
    const toMs = fromMs + 30 * 3_600_000
    const to = new Date(toMs).toISOString()
    const minutes = walk(zone, fromMs, toMs)
    for (const cron of [...crons, ...open]) {
      for (const dst of ['wallclock', 'legacy'] as const) {
        const schedule = parseSchedule({ cron, timezone: zone, dialect: 'standard', dst })
        const fixed = dst === 'wallclock' && crons.includes(cron)
        expect(between(schedule, from, to), `${cron} ${dst}`).toEqual(expected(schedule, minutes, fromMs, fixed))
      }
    }
  })
})
