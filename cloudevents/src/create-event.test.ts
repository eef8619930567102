import { expect, it } from 'vitest'
import { attributesOf, createEvent, dataValue, jsonData, type ExtensionValue } from './index.ts'

it('makes an event that nobody can change', () => {
  const event = createEvent({ id: '1', source: '/s', type: 't', extensions: { a: 1 }, data: jsonData({}) })
  const writes: (() => void)[] = [
    () => Object.assign(event, { id: '2' }),
    () => Object.assign(event.extensions, { b: 1 }),
    () => Object.assign(event.data as object, { value: 1 }),
  ]
  for (const write of writes) expect(write).toThrow(TypeError)
})

it('keeps what it was given when the giver changes it afterwards', () => {
  const value = { list: [1] }
  const bytes = Buffer.from([1, 2])
  const event = createEvent({ id: '1', source: '/s', type: 't', extensions: { bytes }, data: jsonData(value) })
  value.list.push(2)
  bytes[0] = 9
  expect(dataValue(event)).toEqual({ list: [1] })
  expect(event.extensions['bytes']).toEqual(Uint8Array.of(1, 2))
  expect(attributesOf(event)['bytes']).toBe('AQI=')
  expect(() => (dataValue(event) as typeof value).list.push(3)).toThrow(TypeError)
  const prototype = jsonData(JSON.parse('{"__proto__":{"a":1}}'))
  expect(JSON.stringify(prototype)).toBe('{"kind":"json","value":{"__proto__":{"a":1}}}')
})

it('has no extension but its own', () => {
  const { extensions } = createEvent({ id: '1', source: '/s', type: 't' })
  expect([extensions['constructor'], extensions['__proto__'], extensions['tostring']]).toEqual([
    undefined,
    undefined,
    undefined,
  ])
  const inherited = Object.create({ polluted: 'x' }) as Record<string, ExtensionValue>
  expect(createEvent({ id: '1', source: '/s', type: 't', extensions: inherited }).extensions).toEqual({})
  const own = JSON.parse('{"__proto__": "x"}') as Record<string, string>
  expect(() => createEvent({ id: '1', source: '/s', type: 't', extensions: own })).toThrow(/'__proto__'/)
})

it('keeps what it is given, and leaves out what is not', () => {
  const event = createEvent({
    id: '1',
    source: '/s',
    type: 't',
    subject: 'a',
    time: '2018-04-05T17:31:00.000Z',
    extensions: { n: -0, gone: undefined },
  })
  expect({ ...attributesOf(event) }).toEqual({
    specversion: '1.0',
    id: '1',
    source: '/s',
    type: 't',
    subject: 'a',
    time: '2018-04-05T17:31:00.000Z',
    n: 0,
  })
})
