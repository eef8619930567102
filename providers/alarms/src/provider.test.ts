import { openHarness, type Harness, type ReceivedFire, type StubAnswer } from '@sluice/provider-kit/contract'
import { describe, expect, it, onTestFinished } from 'vitest'
import { alarmsSetUp } from './testing.ts'

const startMs = Date.UTC(2030, 0, 1, 11, 59, 30)
const second = 1000
const minute = 60 * second

async function open(options: Parameters<typeof alarmsSetUp>[0] & { startMs?: number } = {}): Promise<Harness> {
  const harness = await openHarness({ ...alarmsSetUp(options), startMs: options.startMs ?? startMs })
  onTestFinished(() => harness.close())
  return harness
}

const once = (date: number, more: object = {}) => ({ fireOnce: true, date, ...more })
const interval = (minutes: number, more: object = {}) => ({ isInterval: true, minutes, ...more })

/** When the fires' instants are, in seconds after the start. */
function instants(harness: Harness, fires: readonly ReceivedFire[] = harness.core.fires): number[] {
  return fires.map(fire => (Date.parse(fire.headers['ce-time'] ?? '') - startMs) / second)
}

async function reason(harness: Harness): Promise<unknown> {
  return (await harness.read()).status.reason?.message
}

describe('a fire', () => {
  it('[feed:A68] is the payload, with the instant in its attributes, however late it is sent', async () => {
    const harness = await open()
    const created = await harness.call('CREATE', { cron: '0 12 * * *', trigger_payload: { a: 1 } })
    expect(created).toEqual({ status: 200, body: { status: 'success' } })
    await harness.advance(30_400, 30_400)
    const [fire] = harness.core.fires
    expect(fire?.body).toBe('{"a":1}')
    expect(fire?.headers).toMatchObject({
      'ce-time': '2030-01-01T12:00:00.000Z',
      'ce-id': expect.stringMatching(/^[0-9A-Z]{26}\.1893499200000$/),
      'ce-type': 'io.sluice.alarms.cron',
      'ce-source': 'urn:sluice:alarms:test:guest/T',
      'ce-subject': '0%2012%20*%20*%20*',
      'ce-sequence': '00000000001893499200',
      'ce-recordedtime': '2030-01-01T12:00:00.400Z',
      'sluice-input': 'data',
      'x-sluice-attempt': '1',
      'content-type': 'application/json',
    })
  })

  it("[feed:A54] carries '' as a payload where the package binds it, and {} where nothing is bound", async () => {
    const harness = await open()
    await harness.call('CREATE', { cron: '* * * * * *', trigger_payload: '' })
    await harness.advance(second)
    await harness.call('CREATE', { cron: '* * * * * *' })
    await harness.advance(second)
    expect(harness.core.fires.map(({ body }) => body)).toEqual(['{"payload":""}', '{}'])
  })
})

it('is measured by how late it was written, unless it was made up for', async () => {
  const harness = await open()
  await harness.call('CREATE', { cron: '0 12 * * *' })
  await harness.advance(30_400, 30_400)
  const metrics = await harness.get('/metrics')
  expect(metrics).toContain('sluice_schedule_delay_seconds_bucket{le="0.25",provider="alarms"} 0')
  expect(metrics).toContain('sluice_schedule_delay_seconds_bucket{le="0.5",provider="alarms"} 1')
  expect(metrics).toContain('sluice_owned{provider="alarms"} 1')
  await harness.restart({ downMs: 3 * 24 * 60 * minute })
  const after = await harness.get('/metrics')
  expect(after).toContain('sluice_schedule_delay_seconds_count{provider="alarms"} 0')
  expect(after).toContain('sluice_missed_dropped_total{namespace="guest",provider="alarms"} 2')
})

describe('interval', () => {
  it('[feed:A32] begins half a minute after CREATE', async () => {
    const harness = await open()
    await harness.call('CREATE', interval(2))
    await harness.advance(5 * minute)
    expect(instants(harness)).toEqual([30, 150, 270])
  })

  it('[feed:A34] makes up for three missed instants with one event, and goes on on its grid', async () => {
    const harness = await open()
    await harness.call('CREATE', interval(5))
    await harness.advance(30 * second)
    await harness.restart({ downMs: 17 * minute })
    await harness.advance(5 * minute, 2 * second)
    expect(instants(harness)).toEqual([30, 30 + 15 * 60, 30 + 20 * 60])
    expect(harness.core.fires[1]?.headers['ce-missedcount']).toBe('3')
  })

  it('[feed:A35] ends after the last instant that fits', async () => {
    const harness = await open()
    const startDate = startMs + minute
    await harness.call('CREATE', interval(1, { startDate, stopDate: startDate + 100 * second }))
    await harness.advance(5 * minute)
    expect(instants(harness)).toEqual([60, 120])
    expect(await reason(harness)).toBe('Automatically disabled after firing last scheduled interval trigger')
  })
})

describe('once', () => {
  it('[feed:A41] deletes itself and its trigger after the 2xx, and keeps the rules', async () => {
    const harness = await open()
    withRules(harness)
    await harness.call('CREATE', once(startMs + 10 * second, { deleteAfterFire: 'true' }))
    await harness.advance(15 * second)
    expect(harness.core.fires).toHaveLength(1)
    expect(harness.core.triggers.has('guest/T')).toBe(false)
    expect(harness.core.calls.filter(call => call.includes('/rules/'))).toEqual([])
    expect(await harness.state.dump('alarms/sub/')).toEqual([])
  })

  it('[feed:A42] deletes the rules too when it is told so', async () => {
    const harness = await open()
    withRules(harness)
    await harness.call('CREATE', once(startMs + 10 * second, { deleteAfterFire: 'rules' }))
    await harness.advance(15 * second)
    const deleted = harness.core.calls.filter(call => call.startsWith('DELETE')).map(call => call.split('guest/')[1])
    expect(deleted).toEqual(['rules/r1', 'rules/r2', 'triggers/T'])
    expect(harness.core.triggers.has('guest/T')).toBe(false)
  })

  it('[feed:A43] waits for the 2xx before it deletes anything', async () => {
    const harness = await open()
    harness.core.onFire = () => ({ status: harness.clock.nowMs() < startMs + 5 * minute ? 503 : 202 })
    await harness.call('CREATE', once(startMs + 10 * second, { deleteAfterFire: true }))
    await harness.advance(4 * minute, 2 * second)
    expect(harness.core.triggers.has('guest/T')).toBe(true)
    await harness.advance(3 * minute, 2 * second)
    expect(harness.core.fires.at(-1)?.status).toBe(202)
    expect(harness.core.triggers.has('guest/T')).toBe(false)
  })

  it('[feed:A44] deletes nothing when the event became a dead letter', async () => {
    const harness = await open()
    harness.core.onFire = () => ({ status: 400 })
    await harness.call('CREATE', once(startMs + 10 * second, { deleteAfterFire: true }))
    await harness.advance(15 * second)
    expect(harness.core.triggers.has('guest/T')).toBe(true)
    expect(await reason(harness)).toBe('Automatically disabled: the event was dead-lettered')
    expect(await harness.provider.deadLetters.list('guest:T', 10)).toHaveLength(1)
  })

  it('[feed:A45] fires late when the provider was down at its time', async () => {
    const harness = await open()
    await harness.call('CREATE', once(startMs + 10 * second))
    await harness.restart({ downMs: 10 * minute })
    expect(instants(harness)).toEqual([10])
    expect(await reason(harness)).toBe('Automatically disabled after firing once')
  })

  it('[feed:A46] does not fire two days late', async () => {
    const harness = await open()
    await harness.call('CREATE', once(startMs + 10 * second))
    await harness.restart({ downMs: 2 * 24 * 60 * minute })
    await harness.advance(second)
    expect(harness.core.fires).toEqual([])
    expect(await reason(harness)).toBe('the fire once date has expired')
  })

  it('asks the hub again to delete the trigger when that failed, and once more after a crash', async () => {
    const harness = await open()
    harness.core.onCall = method => (method === 'DELETE' ? { status: 503 } : 'default')
    await harness.call('CREATE', once(startMs + second, { deleteAfterFire: true }))
    await harness.advance(3 * second)
    await harness.restart({ crash: true })
    harness.core.onCall = () => 'default'
    await harness.advance(2 * minute)
    expect(harness.core.triggers.has('guest/T')).toBe(false)
    expect(harness.core.fires).toHaveLength(1)
  })
})

describe('a change', () => {
  it('[feed:A52] by DELETE before the start date leaves nothing that fires', async () => {
    const harness = await open()
    await harness.call('CREATE', { cron: '* * * * *', startDate: startMs + 10 * minute })
    await harness.call('DELETE')
    await harness.advance(20 * minute, 2 * second)
    expect(harness.core.fires).toEqual([])
  })

  it('[feed:A53] by UPDATE before the start date fires each instant once', async () => {
    const harness = await open()
    await harness.call('CREATE', { cron: '* * * * * *', startDate: startMs + 10 * second })
    await harness.call('UPDATE', { cron: '*/2 * * * * *' })
    await harness.advance(20 * second)
    expect(instants(harness)).toEqual([10, 12, 14, 16, 18, 20])
  })

  it('while an instant is being fired does not fire it again', async () => {
    const harness = await open()
    let release: (answer: StubAnswer) => void = () => undefined
    harness.core.onFire = (_fire, count) =>
      count === 1 ? new Promise(resolve => (release = resolve)) : { status: 202 }
    await harness.call('CREATE', { cron: '*/5 * * * * *' })
    await harness.advance(5 * second)
    await harness.call('UPDATE', { trigger_payload: { b: 1 } })
    await harness.advance(second)
    release({ status: 202 })
    await harness.advance(5 * second)
    expect(instants(harness)).toEqual([5, 10])
  })

  it('while the hub is down is delivered to the new session with the bytes of the first attempt', async () => {
    const harness = await open()
    let status = 500
    harness.core.onFire = () => ({ status })
    await harness.call('CREATE', { cron: '0 * * * * *', trigger_payload: { a: 1 } })
    await harness.advance(30 * second)
    await harness.call('UPDATE', { trigger_payload: { b: 1 } })
    status = 202
    await harness.advance(20 * second)
    expect(new Set(harness.core.fires.map(({ headers, body }) => `${headers['ce-id']} ${body}`)).size).toBe(1)
    expect(harness.core.fires.at(-1)?.status).toBe(202)
  })

  it('to DELETE and CREATE within a second has one subscription with another id', async () => {
    const harness = await open()
    await harness.call('CREATE', { cron: '* * * * * *' })
    await harness.advance(second)
    await harness.call('DELETE')
    await harness.call('CREATE', { cron: '* * * * * *' })
    await harness.advance(2 * second)
    expect(instants(harness)).toEqual([1, 2, 3])
    const owners = harness.core.fires.map(fire => fire.headers['ce-partitionkey'])
    expect(owners[0]).not.toBe(owners[1])
    expect(owners[1]).toBe(owners[2])
  })
})

describe('maxTriggers', () => {
  it('[feed:A51] is never exceeded, however slow the hub is and whoever restarts', async () => {
    const harness = await open()
    const slow: (() => void)[] = []
    harness.core.onFire = () => new Promise(resolve => slow.push(() => resolve({ status: 202 })))
    await harness.call('CREATE', { cron: '* * * * * *', maxTriggers: 3 })
    await harness.advance(5 * second)
    slow.shift()?.()
    await harness.advance(second)
    await harness.restart({ crash: true })
    for (let i = 0; i < 8; i++) {
      await harness.advance(5 * second)
      slow.shift()?.()
      await harness.advance(second)
    }
    const delivered = harness.core.fires.filter(({ status }) => status === 202)
    expect(new Set(delivered.map(fire => fire.headers['ce-id'])).size).toBe(3)
    expect(await reason(harness)).toBe('Automatically disabled after reaching max triggers')
  })
})

describe('after a kill', () => {
  it('[feed:A58] half a second before an instant it is fired once, late', async () => {
    const harness = await open()
    await harness.call('CREATE', { cron: '0 * * * * *' })
    await harness.advance(29_500, 500)
    await harness.restart({ crash: true, downMs: 15 * second })
    await harness.advance(10 * second)
    expect(instants(harness)).toEqual([30])
  })

  it('[feed:A59] between the request and the answer it is fired again under the same id, time and bytes', async () => {
    const harness = await open()
    harness.core.onFire = (_fire, count) => (count === 1 ? new Promise(() => undefined) : { status: 202 })
    await harness.call('CREATE', { cron: '0 * * * * *', trigger_payload: { a: 1 } })
    await harness.advance(30 * second)
    expect(harness.core.fires).toHaveLength(1)
    await harness.restart({ crash: true, downMs: 5 * second })
    await harness.advance(10 * second)
    expect(harness.core.fires).toHaveLength(2)
    const [first, again] = harness.core.fires
    expect(again?.headers).toEqual(first?.headers)
    expect(again?.body).toBe(first?.body)
  })

  it('at any moment it neither loses an instant nor fires one under two ids', async () => {
    const harness = await open()
    await harness.call('CREATE', { cron: '* * * * * *', catchUp: 'all' })
    let kills = 0
    for (let round = 0; round < 40; round++) {
      // Some kills fall before the intent is written, some before the outcome is, some before the answer.
      const cut = round % 4
      harness.core.onFire = () => (cut === 3 ? new Promise(() => undefined) : { status: 202 })
      await harness.advance(second + 10 * cut, 500 + 7 * cut)
      await harness.restart({ crash: true, downMs: (round % 3) * 1500 })
      kills++
    }
    harness.core.onFire = () => ({ status: 202 })
    await harness.advance(20 * second)
    const delivered = harness.core.fires.filter(({ status }) => status === 202)
    const times = [...new Set(instants(harness, delivered))].sort((a, b) => a - b)
    const last = Math.floor((harness.clock.nowMs() - startMs) / second)
    expect(times).toEqual(Array.from({ length: last }, (_, index) => index + 1))
    const ids = new Set(delivered.map(fire => fire.headers['ce-id']))
    expect(ids.size).toBe(times.length)
    expect(delivered.length - ids.size).toBeLessThanOrEqual(kills)
  })

  it('after a stop in good order nothing is fired twice', async () => {
    const harness = await open()
    await harness.call('CREATE', { cron: '* * * * * *', catchUp: 'all' })
    for (let round = 0; round < 10; round++) {
      await harness.advance(2 * second)
      await harness.restart({ downMs: 1500 })
    }
    const times = instants(harness)
    expect(times.length).toBeGreaterThan(25)
    expect(times).toEqual(times.map((_, index) => index + 1))
  })
})

describe('missed instants', () => {
  it.each([
    ['all', 60, 30],
    ['latest', 1, 89],
    ['none', 0, 89],
  ])('[feed:A60] are made up after 90 minutes as catchUp %s says', async (catchUp, events, dropped) => {
    const harness = await open()
    await harness.call('CREATE', { cron: '* * * * *', catchUp, catchUpMax: 1000 })
    await harness.restart({ downMs: 90 * minute })
    await harness.advance(5 * second)
    const times = instants(harness)
    expect(times).toEqual([...times].sort((a, b) => a - b))
    // With none, and in front with all, the instant of the last minute fires as well.
    expect(times.length).toBe(catchUp === 'none' ? 1 : events)
    expect((await harness.read()).stats.missedDropped).toBe(dropped)
  })

  it('[feed:A61] are not seen in an hour that comes twice', async () => {
    const harness = await open()
    await harness.call('CREATE', { cron: '* * * * *' })
    await harness.advance(2 * minute)
    harness.clock.step(-60 * minute)
    await harness.advance(65 * minute, 2 * second)
    const times = instants(harness)
    expect(new Set(times).size).toBe(times.length)
    expect(times.slice(0, 4)).toEqual([30, 90, 150, 210])
  })

  it('[feed:A62] of an hour that was stepped over are one event, and the next is right', async () => {
    const harness = await open()
    await harness.call('CREATE', { cron: '* * * * *' })
    await harness.advance(2 * minute)
    harness.clock.step(60 * minute)
    await harness.advance(2 * minute)
    const times = instants(harness)
    expect(times.slice(0, 2)).toEqual([30, 90])
    expect(times.slice(2)).toEqual([times[2], times[2]! + 60, times[2]! + 120].slice(0, times.length - 2))
    expect(times.length).toBeLessThanOrEqual(5)
  })

  it('[feed:A64] pile up to nothing while the hub answers 429 for ten hours', async () => {
    const harness = await open()
    const untilMs = startMs + 10 * 60 * minute
    harness.core.onFire = () => ({ status: harness.clock.nowMs() < untilMs ? 429 : 202 })
    await harness.call('CREATE', { cron: '*/5 * * * *' })
    await harness.advance(10 * 60 * minute + 5 * minute, 2 * second)
    expect((await harness.read()).status.active).toBe(true)
    const delivered = harness.core.fires.filter(({ status }) => status === 202)
    // The one that was being tried, one for all that were missed, and those that are due by now.
    expect(delivered.length).toBeGreaterThanOrEqual(2)
    expect(delivered.length).toBeLessThanOrEqual(4)
    expect(await harness.provider.deadLetters.list('guest:T', 10)).toEqual([])
  })
})

describe('the store', () => {
  it('that is down holds the fires back, and they go out when it is there again', async () => {
    const harness = await open()
    await harness.call('CREATE', { cron: '* * * * * *' })
    await harness.advance(2 * second)
    harness.state.down = true
    await harness.advance(5 * second)
    expect(harness.core.fires).toHaveLength(2)
    harness.state.down = false
    await harness.advance(3 * second)
    expect(instants(harness)).toEqual([1, 2, 3, 4, 5, 6, 7, 8, 9, 10])
  })

  it('gets one write for all the intents of a beat', async () => {
    const harness = await open()
    for (let index = 0; index < 30; index++) {
      harness.core.triggers.set(`guest/T${index}`, { rules: new Set(), annotations: [] })
      await harness.call('CREATE', { triggerName: `T${index}`, cron: '0 * * * * *' })
    }
    await harness.advance(29 * second)
    harness.state.written.length = 0
    await harness.advance(second, second)
    expect(harness.core.fires).toHaveLength(30)
    expect(harness.state.written).toHaveLength(1)
    await harness.advance(100, 100)
    expect(harness.state.written).toHaveLength(2)
  })
})

function withRules(harness: Harness): void {
  harness.core.triggers.set('guest/T', { rules: new Set(['guest/r1', 'guest/r2']), annotations: [] })
}
