import { expect, it } from 'vitest'
import { alarmEvent } from './alarm-event.ts'
import type { AlarmConfig } from './config.ts'

const origin = {
  instance: 'main',
  namespace: 'guest',
  trigger: 'my trigger@x',
  subscriptionId: '01ARZ3NDEKTSV4RRFFQ69G5FAV',
}
const dueMs = Date.parse('2030-01-01T12:00:00Z')
const payload = { a: 1 }

it('has the due instant for time and id, and the payload alone for data [feed:A68]', () => {
  const config: AlarmConfig = { variant: 'cron', cron: '  0  12 * * *', payload }
  expect(alarmEvent(origin, config, { dueMs })).toEqual({
    type: 'io.sluice.alarms.cron',
    source: 'urn:sluice:alarms:main:guest/my%20trigger%40x',
    subject: '0 12 * * *',
    id: '01ARZ3NDEKTSV4RRFFQ69G5FAV.1893499200000',
    time: '2030-01-01T12:00:00.000Z',
    sequence: '00000000001893499200',
    partitionkey: '01ARZ3NDEKTSV4RRFFQ69G5FAV',
    datacontenttype: 'application/json',
    data: payload,
  })
})

it('says how many missed instants it stands for', () => {
  const startDate = { given: dueMs, ms: dueMs }
  const config: AlarmConfig = { variant: 'interval', minutes: 5, startDate, payload }
  expect(alarmEvent(origin, config, { dueMs, missedCount: 3 })).toMatchObject({ subject: 'every 5m', missedcount: 3 })
})

it('names the date of a once as its subject', () => {
  const config: AlarmConfig = { variant: 'once', date: { given: '2030', ms: dueMs }, deleteAfterFire: 'false', payload }
  expect(alarmEvent(origin, config, { dueMs }).subject).toBe('2030-01-01T12:00:00.000Z')
})
