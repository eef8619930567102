import { describe, expect, it } from 'vitest'
import {
  createEvent,
  decodeHttp,
  encodeHttpBinary,
  readExtension,
  typedExtensionNames,
  writeExtensions,
  type TypedExtensionName,
  type TypedExtensions,
} from '../index.ts'

const values: TypedExtensions = {
  traceparent: '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01',
  tracestate: 'rojo=00f067aa0ba902b7, congo@x=t61rcWkgMzE',
  sequence: '00000000000000000042',
  partitionkey: 'device 7',
  dataref: 'https://example.com/data/1',
  expirytime: new Date('2018-04-05T17:31:00.120Z'),
  recordedtime: new Date('2018-04-05T03:56:24.000Z'),
  sampledrate: 30,
}

it('reads what it has written, also after a transport that has text only', () => {
  const event = createEvent({ id: '1', source: '/s', type: 't', extensions: writeExtensions(values) })
  const { headers, body } = encodeHttpBinary(event)
  for (const one of [event, decodeHttp(headers, body)]) {
    for (const name of typedExtensionNames) expect(one && readExtension(one, name)).toEqual(values[name])
  }
  expect(Object.keys(values)).toEqual(typedExtensionNames)
  expect(event.extensions['expirytime']).toBe('2018-04-05T17:31:00.120Z')
})

it('reads nothing where there is nothing', () => {
  const event = createEvent({ id: '1', source: '/s', type: 't' })
  for (const name of typedExtensionNames) expect(readExtension(event, name)).toBeUndefined()
})

describe('refuses', () => {
  it.each<[TypedExtensionName, string | number, string]>([
    ['traceparent', '00-0AF7651916CD43DD8448EB211C80319C-b7ad6b7169203331-01', 'trace-context'],
    ['traceparent', '00-00000000000000000000000000000000-b7ad6b7169203331-01', 'trace-context'],
    ['traceparent', '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01-x', 'trace-context'],
    ['traceparent', 'ff-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01', 'trace-context'],
    ['tracestate', 'a=1,a=2', 'trace-context'],
    ['tracestate', 'A=1', 'trace-context'],
    ['tracestate', Array.from({ length: 33 }, (_, index) => `k${index}=1`).join(','), 'trace-context'],
    ['sequence', 5, 'string'],
    ['partitionkey', '', 'empty'],
    ['dataref', 'a b', 'uri-reference'],
    ['expirytime', '2018-02-30T00:00:00Z', 'timestamp'],
    ['recordedtime', 'yesterday', 'timestamp'],
    ['sampledrate', 0, 'positive'],
    ['sampledrate', '-1', 'positive'],
    ['sampledrate', '1.5', 'int32'],
    ['sampledrate', '2147483648', 'int32'],
  ])('%s %s', (name, value, rule) => {
    const event = createEvent({ id: '1', source: '/s', type: 't', extensions: { [name]: value } })
    expect(() => readExtension(event, name)).toThrow(expect.objectContaining({ attribute: name, rule }))
    expect(() => writeExtensions({ [name]: value })).toThrow(expect.objectContaining({ attribute: name, rule }))
  })

  it('a date that is none', () => {
    expect(() => writeExtensions({ expirytime: new Date(NaN) })).toThrow(/'expirytime' must be a timestamp/)
  })
})

it('takes a later version of the trace context, and a leap second', () => {
  const traceparent = '01-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01-more'
  const extensions = { traceparent, recordedtime: '2016-12-31t23:59:60.5z' }
  const event = createEvent({ id: '1', source: '/s', type: 't', extensions })
  expect(readExtension(event, 'traceparent')).toBe(traceparent)
  expect(readExtension(event, 'recordedtime')?.toISOString()).toBe('2016-12-31T23:59:59.500Z')
})
