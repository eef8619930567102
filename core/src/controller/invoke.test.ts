import { describe, expect, it } from 'vitest'
import { SluiceError, bounds, type ActivationRecord } from '../model/index.ts'
import { systemClock } from '../spi/index.ts'
import { createFixture, nodeAction, openLimits, other } from './testing/fixture.ts'

const id = '0123456789abcdef0123456789abcdef'

function record(statusCode: 0 | 1 | 2 | 3, result: unknown): ActivationRecord {
  return {
    namespace: 'guest',
    name: 'a',
    version: '0.0.1',
    subject: 'guest',
    activationId: id,
    start: 1,
    end: 3,
    duration: 2,
    response: { statusCode, result, size: 7 },
    logs: ['2023-11-14T22:13:20.001234567Z stdout: hi'],
    annotations: [{ key: 'kind', value: 'nodejs:20' }],
    publish: false,
    sluice: { attempt: 1 },
  }
}

async function withAction(options?: Parameters<typeof createFixture>[0], body: object = nodeAction) {
  const fixture = await createFixture(options)
  await fixture.call('PUT', '~actions/a', body)
  return fixture
}

describe('invoke: answers', () => {
  it('[rest:75] [rest:76] answers a non-blocking call with the id, in body and header', async () => {
    const { call, invoked } = await withAction()
    for (const query of ['', '?result=true', '?blocking=false']) {
      const { status, json, headers } = await call('POST', `~actions/a${query}`, { x: 1 })
      expect(status).toBe(202)
      expect(json).toEqual({ activationId: headers['x-openwhisk-activation-id'] })
    }
    expect(invoked[0]).toMatchObject({ blocking: false, payload: '{"x":1}', payloadKeys: ['x'], extraLogging: false })
  })

  it('[rest:77] takes an empty body of no or any type for {}', async () => {
    const { call, invoked } = await withAction()
    expect((await call('POST', '~actions/a')).status).toBe(202)
    expect((await call('POST', '~actions/a', '', { headers: { 'content-type': 'text/plain' } })).status).toBe(202)
    expect(invoked.map(({ payload }) => payload)).toEqual(['{}', '{}'])
  })

  it('[rest:78] answers a blocking call with the record, without logs and bookkeeping', async () => {
    const { call, answers } = await withAction()
    answers.record = record(0, { x: 1 })
    const { status, json, headers } = await call('POST', '~actions/a?blocking=true', { x: 1 })
    expect([status, headers['x-openwhisk-activation-id']]).toEqual([200, id])
    const { sluice: _, ...shown } = answers.record
    expect(json).toEqual({
      ...shown,
      logs: [],
      response: { status: 'success', success: true, result: { x: 1 }, size: 7 },
    })
  })

  it('[rest:79] answers only the result when asked to', async () => {
    const { call, answers } = await withAction()
    answers.record = record(0, { hello: 'Robert' })
    expect((await call('POST', '~actions/a?blocking=true&result=true', {})).text).toBe('{"hello":"Robert"}')
    answers.record = record(0, undefined)
    expect((await call('POST', '~actions/a?blocking=true&result=true', {})).text).toBe('{}')
  })

  it('answers an array bare, whether or not the result was asked for', async () => {
    const { call, answers } = await withAction()
    answers.record = record(0, [1, 2])
    expect((await call('POST', '~actions/a?blocking=true', {})).text).toBe('[1,2]')
  })

  it.each([
    [1, 502, 'application error'],
    [2, 502, 'action developer error'],
    [3, 500, 'whisk internal error'],
  ] as const)('[rest:82] [rest:83] answers status %i with %i', async (statusCode, status, word) => {
    const { call, answers } = await withAction()
    answers.record = record(statusCode, { error: 'x' })
    const whole = await call('POST', '~actions/a?blocking=true', {})
    expect([whole.status, whole.json.response.status, whole.json.response.success]).toEqual([status, word, false])
    expect(whole.json).not.toHaveProperty('code')
    const bare = await call('POST', '~actions/a?blocking=true&result=true', {})
    expect([bare.status, bare.text]).toEqual([status, '{"error":"x"}'])
  })

  it('keeps every digit of a result', async () => {
    const { call, answers, invoked } = await withAction()
    answers.record = record(0, {})
    const text = '{"n":12345678901234567890,"n2":1.10}'
    await call('POST', '~actions/a', text, { headers: { 'content-type': 'application/json' } })
    expect(invoked[0]?.payload).toBe(text)
  })
})

describe('invoke: refusals', () => {
  it.each(['0', '-1', '65000', '60001', 'x', '', '1.5'])('[rest:80] refuses the time-out %j', async timeout => {
    const { call, invoked } = await withAction()
    for (const blocking of [true, false]) {
      const { status, json } = await call('POST', `~actions/a?blocking=${blocking}&timeout=${timeout}`, {})
      const error = "The query parameter 'timeout' was malformed:\nTimeout must be number of milliseconds up to 60000."
      expect([status, json.error]).toEqual([400, error])
    }
    expect(invoked).toEqual([])
  })

  it('[rest:81] waits as long as it was asked to, and answers 202 when there is no record by then', async () => {
    const { call, invoked } = await withAction()
    const { status, json } = await call('POST', '~actions/a?blocking=true&timeout=100', {})
    expect([status, Object.keys(json as object)]).toEqual([202, ['activationId']])
    await call('POST', '~actions/a?blocking=true', {})
    expect(invoked.map(({ waitMs }) => waitMs)).toEqual([100, 60000])
  })

  it('[rest:86] lets a payload not redefine what a final action has defined', async () => {
    const parameters = [
      { key: 'a', value: 'A' },
      { key: 'empty', value: null },
    ]
    const body = { ...nodeAction, parameters, annotations: [{ key: 'final', value: true }] }
    const { call } = await withAction(undefined, body)
    const { status, json } = await call('POST', '~actions/a', { a: 'B' })
    const error = 'Request defines parameters that are not allowed (e.g., reserved properties).'
    expect([status, json.error]).toEqual([400, error])
    expect((await call('POST', '~actions/a', { empty: 'C' })).status).toBe(202)
  })

  it('[rest:87] refuses a payload beyond 1 MiB, before it looks whether the action exists', async () => {
    const { call } = await withAction()
    const body = `{"x":"${'x'.repeat(bounds.api.payloadBytesMax)}"}`
    for (const name of ['a', 'none']) {
      const { status, json, headers } = await call('POST', `~actions/${name}`, body, {
        headers: { 'content-type': 'application/json' },
      })
      expect([status, json.error]).toEqual([413, `Request larger than allowed: ${body.length} > 1048576 bytes.`])
      expect(headers['access-control-allow-origin']).toBe('*')
    }
  })

  it("takes the namespace's own payload limit", async () => {
    const { call, setLimits } = await withAction()
    await setLimits('guest', { maxPayloadSize: '10 B' })
    const { status, json } = await call('POST', '~actions/a', { long: 'payload' })
    expect([status, json.error]).toEqual([413, 'Request larger than allowed: 18 > 10 bytes.'])
  })

  it.each([
    ['[1]', 'JSON object expected'],
    ['"x"', 'JSON object expected'],
    ['5', 'JSON object expected'],
    ['null', 'JSON object expected'],
    ['{"a":', 'Unexpected end-of-input at input index 5 (line 1, position 6), expected JSON Value:\n{"a":\n     ^\n'],
  ])('refuses the body %s', async (body, detail) => {
    const { call } = await withAction()
    const { status, json } = await call('POST', '~actions/a', body, { headers: { 'content-type': 'application/json' } })
    expect([status, json.error]).toEqual([400, `The request content was malformed:\n${detail}`])
  })

  it('[rest:93] answers 404 for what is missing, after it looked at the body', async () => {
    const { call } = await withAction()
    const { status, json, headers } = await call('POST', '~actions/none', {})
    expect([status, json.error]).toEqual([404, 'The requested resource does not exist.'])
    expect(headers).not.toHaveProperty('x-openwhisk-activation-id')
    expect((await call('POST', '~actions/none', [])).status).toBe(400)
  })

  it('refuses an Idempotency-Key beyond its bound, and passes a shorter one on', async () => {
    const { call, invoked } = await withAction()
    const answer = await call('POST', '~actions/a', {}, { headers: { 'idempotency-key': 'k'.repeat(257) } })
    expect(answer.status).toBe(400)
    await call('POST', '~actions/a', {}, { headers: { 'idempotency-key': 'mine', 'x-ow-extra-logging': 'on' } })
    expect(invoked[0]).toMatchObject({ idempotencyKey: 'mine', extraLogging: true })
  })

  it('answers 500 without a detail when something is broken, 503 when something is away', async () => {
    const broken = await withAction({ deps: { invoke: { invoke: () => Promise.reject(new Error('secret')) } } })
    const { status, text, json } = await broken.call('POST', '~actions/a', {})
    expect([status, json.error]).toEqual([500, 'There was an internal server error.'])
    expect(text).not.toContain('secret')
    const away = new SluiceError('SLUICE_BUS_UNAVAILABLE', 'secret')
    const refusing = await withAction({ deps: { invoke: { invoke: () => Promise.reject(away) } } })
    const refusal = await refusing.call('POST', '~actions/a', {})
    expect([refusal.status, refusal.json.error, refusal.headers['retry-after']]).toEqual([
      503,
      'The server is currently unavailable (because it is overloaded or down for maintenance).',
      '1',
    ])
  })
})

describe('invoke: names', () => {
  it('[rest:92] charges the caller for what it invokes in a foreign public package', async () => {
    const { call, invoked } = await createFixture()
    await call('PUT', '~packages/pub', { publish: true, parameters: [{ key: 'p', value: 1 }] }, { as: other })
    await call('PUT', '~actions/pub/a', nodeAction, { as: other })
    expect((await call('POST', '@other/actions/pub/a', {})).status).toBe(202)
    expect(invoked[0]).toMatchObject({
      identity: { namespace: { name: 'guest' } },
      action: { id: 'other/pub/a', owner: 'other', parameters: [{ key: 'p', value: 1 }] },
    })
    expect(invoked[0]?.action.action.exec).not.toHaveProperty('code')
  })

  it('resolves through a binding, and sees every change of action, package and binding at once', async () => {
    const { call, invoked } = await createFixture()
    const parameters = (key: string, value: number) => ({ parameters: [{ key, value }] })
    await call('PUT', '~packages/p', parameters('p', 1))
    await call('PUT', '~actions/p/a', { ...nodeAction, ...parameters('a', 1) })
    await call('PUT', '~packages/b', { binding: { namespace: '_', name: 'p' }, ...parameters('b', 1) })
    const seen = async () => {
      await call('POST', '~actions/b/a', {})
      return invoked
        .at(-1)
        ?.action.parameters.map(({ key, value }) => `${key}${value as number}`)
        .join()
    }
    expect(await seen()).toBe('p1,b1,a1')
    expect(invoked[0]?.action).toMatchObject({ binding: 'guest/b', id: 'guest/p/a' })
    await call('PUT', '~packages/p?overwrite=true', parameters('p', 2))
    expect(await seen()).toBe('p2,b1,a1')
    await call('PUT', '~packages/b?overwrite=true', parameters('b', 2))
    expect(await seen()).toBe('p2,b2,a1')
    await call('PUT', '~actions/p/a?overwrite=true', parameters('a', 2))
    expect(await seen()).toBe('p2,b2,a2')
    await call('DELETE', '~actions/p/a')
    expect((await call('POST', '~actions/b/a', {})).status).toBe(404)
  })

  it('keeps the action of one tenant from the other, also when it is in the cache', async () => {
    const { call, invoked } = await withAction()
    await call('POST', '~actions/a', {})
    const { status, json } = await call('POST', '@guest/actions/a', {}, { as: other })
    expect([status, json.error]).toEqual([403, "The supplied authentication is not authorized to access 'guest/a'."])
    expect(invoked).toHaveLength(1)
  })

  it('reads nothing from the store for a request like the last one', async () => {
    const { call, artifacts } = await withAction()
    await call('POST', '~actions/a', {})
    let reads = 0
    const { get, identityByUuid } = artifacts
    artifacts.get = name => (reads++, get(name))
    artifacts.identityByUuid = uuid => (reads++, identityByUuid(uuid))
    expect((await call('POST', '~actions/a', {})).status).toBe(202)
    expect(reads).toBe(0)
  })
})

describe('invoke: throttles', () => {
  const frozen = { ...systemClock, nowMs: () => 61_000 }

  it('[rest:88] refuses all when a namespace may invoke nothing', async () => {
    const { call, setLimits } = await withAction()
    await setLimits('guest', { invocationsPerMinute: 0 })
    const { status, json } = await call('POST', '~actions/a', {})
    expect([status, json.error]).toEqual([429, 'Too many requests in the last minute (count: 1, allowed: 0).'])
  })

  it('[rest:89] counts invocations by the minute, refused and missing ones too', async () => {
    const { call, setLimits } = await withAction({ clock: frozen })
    await setLimits('guest', { invocationsPerMinute: 1 })
    expect((await call('POST', '~actions/none', {})).status).toBe(404)
    const { status, json, headers } = await call('POST', '~actions/a', {})
    expect([status, json.error]).toEqual([429, 'Too many requests in the last minute (count: 2, allowed: 1).'])
    expect(headers).not.toHaveProperty('retry-after')
    expect((await call('POST', '~actions/a', {})).json.error).toContain('(count: 3, allowed: 1)')
    expect((await call('GET', '~actions/a')).status).toBe(200)
  })

  it('[rest:91] refuses beyond the concurrency, after the rate', async () => {
    const { call, setLimits, answers } = await withAction()
    await setLimits('guest', { concurrentInvocations: 0 })
    const { status, json } = await call('POST', '~actions/a', {})
    expect([status, json.error]).toEqual([429, 'Too many concurrent requests in flight (count: 0, allowed: 0).'])
    await setLimits('guest', { concurrentInvocations: 2 })
    answers.inFlight = 1
    expect((await call('POST', '~actions/a', {})).status).toBe(202)
    answers.inFlight = 2
    expect((await call('POST', '~actions/a', {})).json.error).toContain('(count: 2, allowed: 2)')
  })

  it('has no limits in profile open, and those of OpenWhisk in the other', async () => {
    const limits = { ...openLimits, invocationsPerMinute: 60, concurrentInvocations: 30, firesPerMinute: 60 }
    const strict = await withAction({ limits, clock: frozen })
    const open = await withAction({ clock: frozen })
    const statuses = async ({ call }: typeof open) => {
      const found = new Set<number>()
      for (let number = 0; number <= 60; number++) found.add((await call('POST', '~actions/a', {})).status)
      return [...found]
    }
    expect(await statuses(open)).toEqual([202])
    expect(await statuses(strict)).toEqual([202, 429])
  })
})
