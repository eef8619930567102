import { expect, it } from 'vitest'
import {
  bytesData,
  contentDigest,
  createEvent,
  decodeHttp,
  encodeHttpBinary,
  encodeHttpStructured,
  jsonData,
  textData,
  type EventParts,
} from './index.ts'

const parts: EventParts = { id: '1', source: '/s', type: 't', subject: 'a', data: jsonData({ a: 1 }) }
const digest = (changes: Partial<EventParts> = {}) => contentDigest(createEvent({ ...parts, ...changes }))

it('is the same for a repetition with another time or other extensions', () => {
  expect(digest({ time: '2018-04-05T17:31:00Z', extensions: { sequence: '7' } })).toBe(digest())
  expect(digest()).toMatch(/^[0-9a-f]{64}$/)
})

it('changes with type, subject, content type, schema and data', () => {
  const all = [
    digest(),
    digest({ type: 'u' }),
    digest({ subject: 'b' }),
    digest({ subject: undefined }),
    digest({ dataschema: 'a:b' }),
    digest({ datacontenttype: 'text/json' }),
    digest({ data: jsonData({ a: 2 }) }),
    digest({ data: undefined, datacontenttype: 'application/json' }),
    digest({ type: 'ta', subject: undefined, dataschema: 'a:b' }),
  ]
  expect(new Set(all).size).toBe(all.length)
})

it('does not depend on how the event travelled', () => {
  const event = createEvent(parts)
  for (const { headers, body } of [encodeHttpBinary(event), encodeHttpStructured(event)]) {
    const arrived = decodeHttp(headers, body)
    expect(arrived && contentDigest(arrived)).toBe(contentDigest(event))
  }
  const data = [textData(' {"a":1}'), bytesData(Buffer.from('{"a":1}\r\n'))]
  for (const one of data) expect(digest({ data: one, datacontenttype: 'application/json' })).toBe(digest())
})
