import { describe, expect, it } from 'vitest'
import type { AlarmConfig, Variant } from '../config.ts'
import { parseAlarm, parseCreate, parseInterval, parseOnce, parseUpdate, variantOf, type Parsed } from './lifecycle.ts'
import { shownConfig } from './read-config.ts'

const nowMs = Date.parse('2030-01-01T12:00:00Z')
const options = { nowMs, triggerName: 'T', alarmDelayLimit: 0, defaultStrict: false }
const hourMs = 3_600_000

function errorOf(parsed: Parsed<AlarmConfig>): string {
  return 'error' in parsed ? parsed.error : 'no error'
}

function configOf<Config extends AlarmConfig>(parsed: Parsed<Config>): Config {
  if ('error' in parsed) throw new Error(parsed.error)
  return parsed.config
}

const alarm = (parameters: object) => parseAlarm({ cron: '* * * * *', ...parameters }, options)
const interval = (parameters: object) => parseInterval({ minutes: 1, ...parameters }, options)
const once = (parameters: object) => parseOnce({ date: nowMs + hourMs, ...parameters }, options)
const update = (parsed: Parsed<AlarmConfig>, patch: object) => parseUpdate(configOf(parsed), { ...patch }, options)

describe('the feed alarm', () => {
  it('needs a cron [feed:A1]', () => {
    for (const cron of [undefined, null, '']) {
      expect(errorOf(alarm({ cron }))).toBe('alarms trigger feed is missing the cron parameter')
    }
  })

  it('says which cron is not valid, also for a number [feed:A2] [feed:A3]', () => {
    expect(errorOf(alarm({ cron: '***' }))).toBe("cron pattern '***' is not valid")
    expect(errorOf(alarm({ cron: 1511111111111 }))).toBe("cron pattern '1511111111111' is not valid")
  })

  it('takes schedule for cron', () => {
    expect(configOf(parseAlarm({ schedule: '0 9 * * *' }, options)).cron).toBe('0 9 * * *')
  })

  it('refuses a zone that is none, and shows the others in their right case [feed:A4] [feed:A5]', () => {
    expect(errorOf(alarm({ timezone: 'America/RTP' }))).toBe('Invalid timezone.')
    expect(configOf(alarm({ timezone: 'america/new_york' })).timezone).toBe('America/New_York')
    expect(configOf(alarm({ timezone: '' })).timezone).toBeUndefined()
  })

  it('can be limited to minutes by the operator [feed:A7]', () => {
    const limited = { ...options, limitCronFields: true }
    const text = 'cron pattern is limited to 5 fields with 1 minute as the finest granularity'
    expect(errorOf(parseAlarm({ cron: '*/30 * * * * *' }, limited))).toBe(text)
    expect(errorOf(alarm({ cron: '*/30 * * * * *' }))).toBe('no error')
  })

  it('may have a second of 0 where it is limited to minutes [feed:A8]', () => {
    expect(errorOf(parseAlarm({ cron: '0 */5 * * * *' }, { ...options, limitCronFields: true }))).toBe('no error')
  })

  it('refuses a cron that never fires [feed:A18]', () => {
    expect(errorOf(alarm({ cron: '0 0 30 2 *' }))).toBe("cron pattern '0 0 30 2 *' never fires")
  })

  it('starts in the future [feed:A47]', () => {
    const text = `startDate parameter '${nowMs - 1}' must be in the future`
    expect(errorOf(alarm({ startDate: nowMs - 1 }))).toBe(text)
    expect(errorOf(interval({ startDate: nowMs - 1 }))).toBe(text)
    expect(errorOf(alarm({ startDate: 'soon' }))).toBe("startDate parameter 'soon' is not a valid Date")
  })

  it('stops after its start [feed:A48]', () => {
    const at = nowMs + hourMs
    const text = `stopDate parameter '${at}' must be greater than the startDate parameter '${at}'`
    expect(errorOf(alarm({ startDate: at, stopDate: at }))).toBe(text)
    expect(errorOf(interval({ startDate: at, stopDate: at }))).toBe(text)
  })

  it('fires once before it stops [feed:A49]', () => {
    const text = 'the first scheduled trigger fire is not until after the stop date'
    expect(errorOf(alarm({ cron: '0 0 1 1 *', stopDate: nowMs + hourMs }))).toBe(text)
    expect(errorOf(alarm({ cron: '0 13 * * *', stopDate: nowMs + hourMs }))).toBe('no error')
  })

  it('has a number of fires or a stop, not both [feed:A50]', () => {
    const both = { maxTriggers: 3, stopDate: nowMs + hourMs }
    expect(errorOf(alarm(both))).toBe('maxTriggers is not allowed when the stopDate parameter is specified')
    expect(errorOf(interval(both))).toBe('maxTriggers is not supported for the interval trigger feed')
    expect(configOf(alarm({ maxTriggers: -1, stopDate: nowMs + hourMs })).maxTriggers).toBeUndefined()
  })

  it('warns where the dialects differ', () => {
    expect(alarm({ cron: '0 9 1 1 *' })).toMatchObject({ warnings: [expect.stringContaining('at other times')] })
    expect(alarm({})).toMatchObject({ warnings: [] })
  })

  it.each([
    ['cronDialect', 'quartz', 'cronDialect parameter must be one of [standard, openwhisk].'],
    ['dst', 'sometimes', 'dst parameter must be one of [wallclock, legacy].'],
    ['catchUp', 'some', 'catchUp parameter must be one of [none, latest, all].'],
    ['catchUpWindow', 604801, 'catchUpWindow parameter must be an integer from 0 to 604800'],
    ['catchUpMax', 0, 'catchUpMax parameter must be an integer from 1 to 10000'],
    ['jitter', 3601, 'jitter parameter must be an integer from 0 to 3600'],
    ['misfireGrace', 'x', 'misfireGrace parameter must be an integer from 0 to 604800'],
    ['maxTriggers', 1.5, `maxTriggers parameter must be an integer from -1 to ${Number.MAX_SAFE_INTEGER}`],
    ['exclusionDates', ['Christmas'], 'exclusionDates parameter must be a list of dates like 2030-12-31'],
  ])('says what %s must be', (name, value, text) => {
    expect(errorOf(alarm({ [name]: value }))).toBe(text)
  })
})

describe('the feed interval', () => {
  it('needs minutes [feed:A29]', () => {
    expect(errorOf(interval({ minutes: undefined }))).toBe('interval trigger feed is missing the minutes parameter')
  })

  it.each([
    ['five', 'the minutes parameter must be an integer'],
    [1.5, 'the minutes parameter must be an integer'],
    [0, 'interval trigger feed is missing the minutes parameter'],
    [-3, 'the minutes parameter must be an integer greater than zero'],
    [[5], 'the minutes parameter must be an integer'],
    [1e300, 'the minutes parameter must be an integer'],
  ])('does not take %s minutes [feed:A30]', (minutes, text) => {
    expect(errorOf(interval({ minutes }))).toBe(text)
  })

  it('takes minutes as digits [feed:A31]', () => {
    expect(configOf(interval({ minutes: '2' })).minutes).toBe(2)
  })

  it('starts in half a minute [feed:A32]', () => {
    expect(configOf(interval({})).startDate.ms).toBe(nowMs + 30_000)
  })
})

describe('the feed once', () => {
  it('needs a date [feed:A36]', () => {
    expect(errorOf(once({ date: undefined }))).toBe('alarms once trigger feed is missing the date parameter')
  })

  it('needs a date that is one [feed:A37]', () => {
    expect(errorOf(once({ date: 'tomorrow' }))).toBe("date parameter 'tomorrow' is not a valid Date")
  })

  it('needs a date in the future [feed:A38]', () => {
    expect(errorOf(once({ date: nowMs - 5000 }))).toBe(`date parameter '${nowMs - 5000}' must be in the future`)
  })

  it('takes milliseconds as a string, and shows them so [feed:A39]', () => {
    const config = configOf(once({ date: '1893542400000' }))
    expect(config.date.ms).toBe(1893542400000)
    expect(shownConfig(config, false).date).toBe('1893542400000')
  })

  it('deletes nothing, the trigger, or its rules too [feed:A40]', () => {
    const text = 'deleteAfterFire parameter must be one of [false, true, rules].'
    expect(errorOf(once({ deleteAfterFire: 'maybe' }))).toBe(text)
    const given = [undefined, false, true, ' Rules ']
    expect(given.map(deleteAfterFire => configOf(once({ deleteAfterFire })).deleteAfterFire)).toEqual([
      'false',
      'false',
      'true',
      'rules',
    ])
  })
})

describe('the payload', () => {
  it('is empty without one, and the string of an empty binding with that [feed:A54]', () => {
    expect(configOf(alarm({})).payload).toEqual({})
    expect(configOf(alarm({ trigger_payload: '' })).payload).toEqual({ payload: '' })
  })

  it('is always an object [feed:A55]', () => {
    const given = ['hi', [1, 2], 5, { a: 1 }]
    expect(given.map(trigger_payload => configOf(alarm({ trigger_payload })).payload)).toEqual([
      { payload: 'hi' },
      { payload: [1, 2] },
      { payload: 5 },
      { a: 1 },
    ])
  })
})

describe('UPDATE', () => {
  it('of minutes on a cron trigger updates nothing [feed:A65]', () => {
    expect(errorOf(update(alarm({}), { minutes: 5 }))).toBe('no updatable parameters were specified')
  })

  it('is not one for the empty payload that the package binds', () => {
    expect(errorOf(update(alarm({}), { trigger_payload: '' }))).toBe('no updatable parameters were specified')
    expect(configOf(update(alarm({ trigger_payload: { a: 1 } }), { trigger_payload: '', jitter: 5 })).payload).toEqual({
      a: 1,
    })
  })

  it('may be for another part of the subscription', () => {
    const stored = configOf(alarm({}))
    expect(parseUpdate(stored, {}, { ...options, otherUpdates: true })).toMatchObject({ config: stored })
  })

  it('starts before the stored stop [feed:A66]', () => {
    const stop = nowMs + hourMs
    const text = `startDate parameter '${stop}' must be less than the stopDate parameter '${stop}'`
    expect(errorOf(update(alarm({ stopDate: stop }), { startDate: stop }))).toBe(text)
    expect(errorOf(update(interval({ stopDate: stop }), { startDate: stop }))).toBe(text)
  })

  it('keeps what it does not name', () => {
    const stored = alarm({ cron: '0 9 * * *', timezone: 'Europe/Berlin', catchUp: 'all', trigger_payload: { a: 1 } })
    expect(configOf(update(stored, { cron: '0 8 * * *' }))).toEqual({ ...configOf(stored), cron: '0 8 * * *' })
  })

  it('goes back to the default with null', () => {
    const stored = alarm({
      catchUp: 'all',
      timezone: 'Europe/Berlin',
      startDate: nowMs + hourMs,
      jitter: 7,
      strict: true,
    })
    const reset = { catchUp: null, timezone: null, startDate: null, jitter: null, strict: null }
    expect(configOf(update(stored, reset))).toEqual(configOf(alarm({})))
    expect(configOf(update(interval({ startDate: nowMs + hourMs }), { startDate: null }))).toEqual(
      configOf(interval({})),
    )
  })

  it('cannot take away what the feed needs', () => {
    expect(errorOf(update(alarm({}), { cron: null }))).toBe('alarms trigger feed is missing the cron parameter')
    expect(errorOf(update(interval({}), { minutes: null }))).toContain('missing the minutes parameter')
    expect(errorOf(update(once({}), { date: null }))).toContain('missing the date parameter')
  })

  it('of the payload does not ask again whether a stopped schedule fires', () => {
    const stopped = { ...configOf(alarm({})), stopDate: { given: nowMs - hourMs, ms: nowMs - hourMs } }
    expect(errorOf(parseUpdate(stopped, { trigger_payload: 'x' }, options))).toBe('no error')
    expect(errorOf(parseUpdate(stopped, { cron: '0 * * * *' }, options))).toContain('not until after the stop date')
  })

  it('has one error for a wrong value, and leaves the rest', () => {
    expect(errorOf(update(alarm({}), { cron: '***', catchUp: 'all' }))).toBe("cron pattern '***' is not valid")
  })
})

it('shows the keys that READ has for each variant [feed:A67]', () => {
  const keys = (config: AlarmConfig) => Object.keys(JSON.parse(JSON.stringify(shownConfig(config, true)))).sort()
  const dates = { startDate: nowMs + hourMs, stopDate: '2031-01-01T00:00:00Z' }
  expect(keys(configOf(once({})))).toEqual(['date', 'deleteAfterFire', 'payload', 'strict'])
  expect(keys(configOf(interval(dates)))).toEqual(['minutes', 'payload', 'startDate', 'stopDate', 'strict'])
  expect(keys(configOf(alarm({ ...dates, timezone: 'UTC' })))).toEqual([
    'cron',
    'payload',
    'startDate',
    'stopDate',
    'strict',
    'timezone',
  ])
  expect(keys(configOf(alarm({})))).toEqual(['cron', 'payload', 'strict'])
})

it('shows dates as they were given, and strict as a boolean', () => {
  const stopDate = '2031-01-01T00:00:00Z'
  const config = configOf(alarm({ startDate: nowMs + hourMs, stopDate, strict: 'True' }))
  expect(shownConfig(config, false)).toMatchObject({ startDate: nowMs + hourMs, stopDate, strict: true })
  expect(shownConfig(configOf(alarm({})), true).strict).toBe(true)
})

it('survives JSON: a stored configuration is what was parsed', () => {
  const cron = alarm({ startDate: nowMs + hourMs, exclusionDates: ['2030-12-25'] })
  for (const config of [configOf(cron), configOf(interval({})), configOf(once({}))]) {
    expect(JSON.parse(JSON.stringify(config))).toEqual(config)
  }
})

it('knows the feed by the default parameters of its action', () => {
  const calls: [object, Variant][] = [
    [{ fireOnce: true }, 'once'],
    [{ isInterval: true }, 'interval'],
    [{ cron: '* * * * *' }, 'cron'],
  ]
  for (const [parameters, variant] of calls) expect(variantOf({ ...parameters })).toBe(variant)
  expect(errorOf(parseCreate('once', {}, options))).toContain('date parameter')
})
