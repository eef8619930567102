import { describe, expect, it } from 'vitest'
import { readFutureDate } from './dates.ts'
import { readTimeZone } from './time-zone.ts'

const now = Date.parse('2029-01-01T00:00:00Z')
const read = (value: unknown, zone?: string) => readFutureDate('date', value, now, readTimeZone(zone))
const iso = (value: unknown, zone?: string) => new Date(read(value, zone).ms).toISOString()

describe('a date parameter', () => {
  it('is epoch milliseconds, as a number or as digits [feed:A39]', () => {
    expect(read(1893456000000)).toEqual({ given: 1893456000000, ms: 1893456000000 })
    expect(read('1893456000000')).toEqual({ given: '1893456000000', ms: 1893456000000 })
  })

  it.each([
    ['2030-01-01', '2030-01-01T00:00:00.000Z'],
    ['2030', '2030-01-01T00:00:00.000Z'],
    ['2030-01-01T12:30', '2030-01-01T12:30:00.000Z'],
    ['2030-01-01T12:30:15.250Z', '2030-01-01T12:30:15.250Z'],
    ['2030-01-01 12:30:15+02:00', '2030-01-01T10:30:15.000Z'],
    ['2030-01-01T12:30:15+0200', '2030-01-01T10:30:15.000Z'],
    ['2030-01-01T12:30:15-03', '2030-01-01T15:30:15.000Z'],
  ])('may be the ISO date %s', (text, expected) => {
    expect(iso(text)).toBe(expected)
  })

  it('without zone is in the time zone of the feed, else in UTC', () => {
    expect(iso('2030-07-01T12:00:00', 'America/New_York')).toBe('2030-07-01T16:00:00.000Z')
    expect(iso('2030-07-01T12:00:00Z', 'America/New_York')).toBe('2030-07-01T12:00:00.000Z')
  })

  it.each(['tomorrow', '', '2030-13-01', '1 Jan 2030', 'T12:00', null, true, {}, [], NaN, 1e20])(
    'is not %s [feed:A37]',
    value => {
      expect(() => read(value)).toThrow(/^date parameter '.*' is not a valid Date$/)
    },
  )

  it('must be in the future [feed:A38]', () => {
    expect(() => read(now - 5000)).toThrow(`date parameter '${now - 5000}' must be in the future`)
    expect(() => read(now)).toThrow('must be in the future')
  })
})
