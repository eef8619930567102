import { decodeHeaderValue } from '@sluice/cloudevents'
import { expect, it } from 'vitest'
import { eventRequest } from './event-request.ts'
import type { FeedEvent } from './feed.ts'

const trigger = { namespace: 'guest', trigger: 'T' }
const event: FeedEvent = {
  id: 'a.1',
  source: 'urn:x',
  type: 't',
  timeMs: Date.UTC(2030, 0, 1),
  recordedAtMs: Date.UTC(2030, 0, 1, 0, 0, 1),
  data: { a: 1 },
  attributes: { missedcount: 3 },
}

it('[feed:DL23] sends a hub the data with the attributes in headers, and says what the action gets', () => {
  const { headers, body } = eventRequest(event, trigger, 'legacy', 'sluice')
  expect(body).toBe('{"a":1}')
  expect(headers).toMatchObject({
    'ce-specversion': '1.0',
    'ce-id': 'a.1',
    'ce-source': 'urn:x',
    'ce-type': 't',
    'ce-time': '2030-01-01T00:00:00.000Z',
    'ce-recordedtime': '2030-01-01T00:00:01.000Z',
    'ce-owtrigger': '/guest/T',
    'ce-missedcount': '3',
    'sluice-input': 'data',
    'idempotency-key': expect.stringMatching(/^"[0-9a-f]{64}"$/),
    traceparent: expect.stringMatching(/^00-[0-9a-f]{32}-[0-9a-f]{16}-01$/),
  })
  expect(eventRequest(event, trigger, 'legacy+ce', 'sluice').headers['sluice-input']).toBe('legacy+ce')
  expect(eventRequest(event, trigger, 'cloudevents', 'sluice').headers['sluice-input']).toBe('event')
})

it('[feed:DL23] [feed:DL25] puts what another core does not know into the body', () => {
  const plain = eventRequest(event, trigger, 'legacy', 'openwhisk')
  expect(plain.body).toBe('{"a":1}')
  expect(plain.headers).toHaveProperty('ce-id', 'a.1')
  const both = JSON.parse(eventRequest(event, trigger, 'legacy+ce', 'openwhisk').body)
  expect(both).toMatchObject({ a: 1, ce: { id: 'a.1', specversion: '1.0', missedcount: 3 } })
  const structured = eventRequest(event, trigger, 'cloudevents', 'openwhisk')
  expect(JSON.parse(structured.body)).toMatchObject({ id: 'a.1', datacontenttype: 'application/json', data: { a: 1 } })
  expect(Object.keys(structured.headers).filter(name => name.startsWith('ce-'))).toEqual([])
})

it('[feed:DL24] keeps a payload that has a key ce itself', () => {
  const own = { ...event, data: { ce: 'mine' } }
  const body = JSON.parse(eventRequest(own, trigger, 'legacy+ce', 'openwhisk').body)
  expect(body).toMatchObject({ ce: 'mine', __ce: { id: 'a.1' } })
})

it('[feed:DL26] percent-encodes header values', () => {
  const { headers } = eventRequest({ ...event, subject: 'a b"%é😀' }, trigger, 'legacy', 'sluice')
  expect(headers['ce-subject']).toBe('a%20b%22%25%C3%A9%F0%9F%98%80')
})

it('cuts a long subject in headers only, and says so', () => {
  const long = { ...event, subject: 'é'.repeat(5000) }
  const { headers } = eventRequest(long, trigger, 'legacy', 'sluice')
  expect(headers['ce-sluicetrunc']).toBe('1')
  expect(headers['ce-subject']).toMatch(/^(%C3%A9)+$/)
  expect(
    Object.entries(headers)
      .filter(([name]) => name.startsWith('ce-'))
      .join().length,
  ).toBeLessThan(8192)
  const { body } = eventRequest(long, trigger, 'cloudevents', 'openwhisk')
  expect(JSON.parse(body).subject).toHaveLength(5000)
})

it.each([0, 1, 2, 3, 4, 5])('cuts a long subject between two characters, %i letters before them', letters => {
  const subject = 'x'.repeat(letters) + '😀'.repeat(2000)
  const { headers } = eventRequest({ ...event, subject }, trigger, 'legacy', 'sluice')
  const cut = decodeHeaderValue(headers['ce-subject'] ?? '', 'subject')
  expect(cut).toMatch(/^x*(😀)+$/u)
  expect(subject.startsWith(cut)).toBe(true)
})

it('[feed:DL27] gives the same request for the same event, whenever it is asked', () => {
  expect(eventRequest(event, trigger, 'legacy', 'sluice')).toEqual(
    eventRequest({ ...event }, trigger, 'legacy', 'sluice'),
  )
})

it('replaces control characters and half surrogates in attributes', () => {
  const { headers } = eventRequest({ ...event, subject: 'a\u0000b\ud800' }, trigger, 'legacy', 'sluice')
  expect(headers['ce-subject']).toBe('a%EF%BF%BDb%EF%BF%BD')
})
