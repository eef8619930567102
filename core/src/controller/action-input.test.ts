import { describe, expect, it } from 'vitest'
import type { FireRecord } from '../model/index.ts'
import { actionInput } from './action-input.ts'

describe('what the actions of a fire get', () => {
  it('trigger parameters, then the headers, then the payload, later ones winning', () => {
    const input = actionInput(
      fire({
        payload: '{"a":2,"big":12345678901234567890}',
        parameters: [
          { key: 'a', value: 1 },
          { key: 'b', value: 1 },
          { key: '__ow_headers', value: 'x' },
        ],
      }),
    )
    expect(input.text).toBe('{"b":1,"__ow_headers":{"h":"1"},"a":2,"big":12345678901234567890}')
    expect(input.keys).toEqual(['b', '__ow_headers', 'a', 'big'])
  })

  it('a payload key __ow_headers wins over the request headers', () => {
    expect(actionInput(fire({ payload: '{"__ow_headers":1}' })).text).toBe('{"__ow_headers":1}')
  })

  it('an empty payload leaves no comma behind', () => {
    expect(JSON.parse(actionInput(fire({ payload: '{ }' })).text)).toEqual({ __ow_headers: { h: '1' } })
  })

  it('legacy+ce adds the attributes under ce, or __ce when the payload has a ce', () => {
    expect(JSON.parse(actionInput(fire({ payload: '{}', input: 'legacy+ce' })).text)).toMatchObject({
      ce: { id: 'e1' },
    })
    expect(JSON.parse(actionInput(fire({ payload: '{"ce":5}', input: 'legacy+ce' })).text)).toMatchObject({
      ce: 5,
      __ce: { id: 'e1' },
    })
  })

  it('event gives an event that came as one untouched, and makes one of a plain fire', () => {
    expect(actionInput(fire({ payload: '{"id":"e1","data":1.0}', input: 'event', wholeEvent: true })).text).toBe(
      '{"id":"e1","data":1.0}',
    )
    expect(JSON.parse(actionInput(fire({ payload: '{"x":1}', input: 'event' })).text)).toEqual({
      specversion: '1.0',
      id: 'e1',
      data: { x: 1 },
    })
  })
})

function fire(more: Partial<FireRecord> & { parameters?: FireRecord['trigger']['parameters'] }): FireRecord {
  return {
    fireId: 'f',
    transid: 't',
    trigger: { namespace: 'ns', name: 't', version: '0.0.1', parameters: more.parameters ?? [] },
    user: { subject: 's', namespace: { name: 'ns', uuid: 'u' }, limits: {} },
    acceptedAtMs: 0,
    headers: { h: '1' },
    event: { specversion: '1.0', id: 'e1' },
    rules: [],
    payload: '{}',
    ...more,
  }
}
