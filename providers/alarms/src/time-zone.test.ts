import { describe, expect, it } from 'vitest'
import { instantOf, localDate, readTimeZone } from './time-zone.ts'

const name = (value: unknown, exactCase = false) => readTimeZone(value, exactCase)?.name

describe('a time zone', () => {
  it.each(['America/RTP', 'CEST', 'Mars/Olympus', '+02:00', 'GMT+2', 'PST', 'IST', 'SystemV/PST8', 'Z', ' UTC', 5, {}])(
    '%s is none [feed:A4]',
    value => {
      expect(() => readTimeZone(value)).toThrow('Invalid timezone.')
    },
  )

  it('is found in any case and stored in the right one [feed:A5]', () => {
    expect(name('america/new_york')).toBe('America/New_York')
    expect(name('utc')).toBe('UTC')
    expect(name('est')).toBe('EST')
  })

  it('keeps the name it was given where ICU has another, is no offset, and is UTC when empty [feed:A75]', () => {
    expect(name('Asia/Kolkata')).toBe('Asia/Kolkata')
    expect(name('US/Eastern')).toBe('US/Eastern')
    expect(() => name('+02:00')).toThrow('Invalid timezone.')
    expect([name(''), name(undefined), name(null)]).toEqual([undefined, undefined, undefined])
  })

  it.each(['america/new_york', 'AMERICA/NEW_YORK', 'us/eastern', 'US/EASTERN', 'est', 'asia/kolkata'])(
    'is not taken in the wrong case %s by the openwhisk dialect',
    value => {
      expect(() => readTimeZone(value, true)).toThrow('Invalid timezone.')
    },
  )

  it.each(['America/New_York', 'US/Eastern', 'EST', 'Asia/Kolkata', 'NZ-CHAT', 'Etc/GMT+5', 'America/Port-au-Prince'])(
    'is taken as %s by the openwhisk dialect',
    value => {
      expect(name(value, true)).toBe(value)
    },
  )
})

describe('wall-clock time', () => {
  const at = (wall: string, zone: string) => new Date(instantOf(Date.parse(`${wall}Z`), zone)).toISOString()

  it('is the first of two where clocks go back, and moved on by the gap where they go forward', () => {
    expect(at('2024-07-01T12:00:00', 'Europe/Berlin')).toBe('2024-07-01T10:00:00.000Z')
    expect(at('2024-10-27T02:30:00', 'Europe/Berlin')).toBe('2024-10-27T00:30:00.000Z')
    expect(at('2024-03-31T02:30:00', 'Europe/Berlin')).toBe('2024-03-31T01:30:00.000Z')
    expect(at('2018-11-04T00:00:00', 'America/Sao_Paulo')).toBe('2018-11-04T03:00:00.000Z')
  })

  it('has another date than UTC', () => {
    expect(localDate(Date.parse('2024-01-01T02:00:00Z'), 'America/New_York')).toBe('2023-12-31')
    expect(localDate(Date.parse('2024-01-01T12:00:00Z'), 'Pacific/Kiritimati')).toBe('2024-01-02')
  })
})
