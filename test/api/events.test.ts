import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { deleteEntities, eventually, putEntity, type Answer, type Api } from '../rig/api.ts'
import { openHubUnderTest, type HubUnderTest } from '../rig/hub-under-test.ts'

/** From a fire to the records of its runs (rest-api.md §7.2, design.md §2, §3, §6; reliability.md P1-P4). */

let hub: HubUnderTest
let api: Api

beforeAll(async () => {
  hub = await openHubUnderTest()
  api = hub.mine.api
  await put('actions/echo', { exec: { kind: 'nodejs:default', code: 'function main(args) { return args }' } })
  await put('triggers/events', {})
  for (const rule of ['first', 'second']) await put(`rules/${rule}`, { trigger: '/_/events', action: '/_/echo' })
})
afterAll(async () => {
  if (api !== undefined) await deleteEntities(api)
  await hub?.close()
})

const put = (path: string, body: unknown): Promise<void> => putEntity(api, path, body)

type Settlement = {
  settled: boolean
  runs: { rule: string; activationId: string; status: string }[]
  deadLetters: unknown[]
}

async function settlement(fireId: string): Promise<Settlement> {
  const { status, body } = await eventually(async () => {
    const answer = await api.call('GET', `activations/${fireId}/settlement?waitMs=5000`)
    return answer.status === 200 && answer
  })
  expect(status).toBe(200)
  return body as Settlement
}

async function record(id: string): Promise<any> {
  return eventually(async () => {
    const { status, body } = await api.call('GET', `activations/${id}`)
    return status === 200 && body
  })
}

/** The results of all runs of a fire, once they are settled. */
async function results(fire: Answer): Promise<any[]> {
  expect(fire.status).toBe(202)
  const { settled, runs } = await settlement(fire.body.activationId)
  expect(settled).toBe(true)
  return Promise.all(runs.map(async ({ activationId }) => (await record(activationId)).response.result))
}

async function countOf(name: string): Promise<number> {
  return (await api.call('GET', `activations?count=true&name=${name}`)).body.activations
}

describe('a fire', () => {
  it('[rest:111] of a trigger without an active rule is 204 and leaves nothing', async () => {
    await put('triggers/lonely', {})
    const { status, text, headers } = await api.call('POST', 'triggers/lonely', { body: {} })
    expect([status, text]).toEqual([204, ''])
    expect(headers['x-openwhisk-activation-id']).toBeUndefined()
    expect(await countOf('lonely')).toBe(0)
  })

  it('[rest:112] whose action is missing is 202, and its record says so', async () => {
    await put('actions/fleeting', { exec: { kind: 'nodejs:default', code: 'const main = () => ({})' } })
    await put('triggers/vain', {})
    await put('rules/vain-rule', { trigger: '/_/vain', action: '/_/fleeting' })
    await api.call('DELETE', 'actions/fleeting')
    const { status, headers, body } = await api.call('POST', 'triggers/vain', { body: { xxx: 'yyy' } })
    expect(status).toBe(202)
    expect(headers['x-openwhisk-activation-id']).toBe(body.activationId)
    const fired = await record(body.activationId)
    expect(fired.response).toMatchObject({ success: true, result: { xxx: 'yyy' } })
    expect(fired).not.toHaveProperty('end')
    expect(JSON.parse(fired.logs[0])).toMatchObject({
      success: false,
      error: expect.stringContaining('does not exist'),
    })
    // A refusal settles it: there is nothing left to wait for.
    expect(await settlement(body.activationId)).toMatchObject({ settled: true, runs: [], deadLetters: [] })
  })

  it('[rest:113] with an active and an inactive rule has a line for each', async () => {
    await put('triggers/half', {})
    await put('rules/on', { trigger: '/_/half', action: '/_/echo' })
    await put('rules/off', { trigger: '/_/half', action: '/_/echo' })
    await api.call('POST', 'rules/off', { body: { status: 'inactive' } })
    const { status, body } = await api.call('POST', 'triggers/half', { body: {} })
    expect(status).toBe(202)
    const { namespace } = hub.mine
    const lines = (await record(body.activationId)).logs.map((line: string) => JSON.parse(line))
    expect(lines).toContainEqual(expect.objectContaining({ rule: `${namespace}/on`, success: true }))
    expect(lines).toContainEqual({
      statusCode: 1,
      success: false,
      rule: `${namespace}/off`,
      error: `Rule '${namespace}/off' is inactive, action '${namespace}/echo' was not activated.`,
      action: `${namespace}/echo`,
    })
    expect(lines).toHaveLength(2)
  })

  it('[rest:114] of nothing is 404', async () => {
    expect((await api.call('POST', 'triggers/none', { body: {} })).status).toBe(404)
  })

  it('[rest:115] brings its headers to the action, but not the secret ones', async () => {
    const headers = { foo: 'Bar', cookie: 'secret=1' }
    const [result] = await results(await api.call('POST', 'triggers/events', { body: { x: 1 }, headers }))
    expect(result).toMatchObject({ x: 1, __ow_headers: { foo: 'Bar' } })
    expect(result.__ow_headers).not.toHaveProperty('authorization')
    expect(result.__ow_headers).not.toHaveProperty('cookie')
  })

  it('[rest:116] of more than 1 MiB is refused, whatever is fired', async () => {
    const body = { x: 'x'.repeat(1024 * 1024) }
    for (const name of ['events', 'none']) {
      const answer = await api.call('POST', `triggers/${name}`, { body })
      expect(answer.status).toBe(413)
      expect(answer.body.error).toContain('Request larger than allowed')
    }
  })

  it('[promise:P4] has one record for each rule, without a cause, found from its settlement', async () => {
    const fire = await api.call('POST', 'triggers/events', { body: { n: 1 } })
    const { runs, settled, deadLetters } = await settlement(fire.body.activationId)
    expect({ settled, deadLetters }).toEqual({ settled: true, deadLetters: [] })
    expect(runs.map(({ rule, status }) => [rule, status]).sort()).toEqual([
      [`${hub.mine.namespace}/first`, 'success'],
      [`${hub.mine.namespace}/second`, 'success'],
    ])
    expect(new Set(runs.map(({ activationId }) => activationId)).size).toBe(2)
    for (const { activationId } of runs) expect(await record(activationId)).not.toHaveProperty('cause')
  })

  it('reaches its actions with all of 300 KB, over what a run carries by itself', async () => {
    const big = 'x'.repeat(300_000)
    const all = await results(await api.call('POST', 'triggers/events', { body: { big } }))
    for (const result of all) expect(result.big).toBe(big)
  })
})

describe('the settlement of fires', () => {
  it('is pending while a run goes on, and waits for it when asked to', async () => {
    const code = 'function main() { return new Promise(done => setTimeout(() => done({ slept: 1 }), 600)) }'
    await put('actions/sleeper', { exec: { kind: 'nodejs:default', code } })
    await put('triggers/sleepy', {})
    await put('rules/sleepy-rule', { trigger: '/_/sleepy', action: '/_/sleeper' })
    const { body } = await api.call('POST', 'triggers/sleepy', { body: {} })
    await record(body.activationId)
    const early = await api.call('GET', `activations/${body.activationId}/settlement`)
    expect(early.body).toMatchObject({ settled: false, runs: [{ status: 'pending' }] })
    const late = await api.call('GET', `activations/${body.activationId}/settlement?waitMs=10000`)
    expect(late.body).toMatchObject({ settled: true, runs: [{ status: 'success' }] })
  })

  it('is told for many at once', async () => {
    const fires = await Promise.all([1, 2, 3].map(n => api.call('POST', 'triggers/events', { body: { n } })))
    const ids = fires.map(({ body }) => body.activationId as string)
    const unknown = 'f'.repeat(32)
    for (const id of ids) await settlement(id)
    const { status, body } = await api.call('POST', 'activations/settlements?waitMs=200', {
      body: { ids: [...ids, unknown] },
    })
    expect(status).toBe(200)
    expect(Object.keys(body).sort()).toEqual([...ids].sort())
    for (const id of ids) expect(body[id]).toMatchObject({ settled: true, deadLetters: [] })
  })

  it('is told to nobody else, of nothing, and in time', async () => {
    const fire = await api.call('POST', 'triggers/events', { body: {} })
    const id = fire.body.activationId as string
    await settlement(id)
    expect((await hub.other.api.call('GET', `activations/${id}/settlement`)).status).toBe(404)
    const foreign = `/api/v1/namespaces/${hub.mine.namespace}/activations/${id}/settlement`
    expect((await hub.other.api.call('GET', foreign)).status).toBe(403)
    expect((await api.call('GET', `activations/${'f'.repeat(32)}/settlement`)).status).toBe(404)
    expect((await api.call('GET', `activations/${id}/settlement?waitMs=60001`)).status).toBe(400)
    expect((await api.call('POST', 'activations/settlements', { body: { ids: ['short'] } })).status).toBe(400)
  })
})

describe('dead letters', () => {
  it('of a namespace without any are none', async () => {
    expect((await api.call('GET', 'deadletters')).body).toEqual([])
    expect((await api.call('GET', `deadletters/${'f'.repeat(32)}`)).status).toBe(404)
    expect((await api.call('DELETE', `deadletters/${'f'.repeat(32)}`)).status).toBe(404)
    expect((await hub.other.api.call('GET', `/api/v1/namespaces/${hub.mine.namespace}/deadletters`)).status).toBe(403)
  })
})

describe('the identity of an event', () => {
  const event = (id: string, more: Record<string, string> = {}): Record<string, string> => ({
    'ce-specversion': '1.0',
    'ce-id': id,
    'ce-source': '/test',
    'ce-type': 'test.happened',
    ...more,
  })

  it('[promise:P3] [rel:R22] gives the same answer for the same event, and runs nothing twice', async () => {
    const before = await countOf('echo')
    const send = (): Promise<Answer> =>
      api.call('POST', 'triggers/events', {
        body: { n: 1 },
        headers: event('same', { 'ce-time': new Date().toISOString() }),
      })
    // At once and one after the other.
    const answers = [...(await Promise.all([send(), send(), send()])), await send(), await send()]
    expect(answers.map(({ status }) => status)).toEqual([202, 202, 202, 202, 202])
    expect(new Set(answers.map(({ body }) => body.activationId)).size).toBe(1)
    await settlement(answers[0]?.body.activationId)
    // Whatever is fired later is run later: were there second runs, they would be counted with this one's.
    await results(await api.call('POST', 'triggers/events', { body: {} }))
    expect(await countOf('echo')).toBe(before + 4)
  })

  it('refuses other content under the same identity', async () => {
    const headers = event('content')
    const first = await api.call('POST', 'triggers/events', { body: { n: 1 }, headers })
    expect(first.status).toBe(202)
    for (const [body, more] of [
      [{ n: 2 }, {}],
      [{ n: 1 }, { 'ce-subject': 'other' }],
      [{ n: 1 }, { 'ce-type': 'test.other' }],
    ] as const) {
      const answer = await api.call('POST', 'triggers/events', { body, headers: { ...headers, ...more } })
      expect(answer.status).toBe(422)
      expect(answer.body.error).toBe('An event with this source and id exists with other content.')
    }
    const again = await api.call('POST', 'triggers/events', { body: { n: 1 }, headers })
    expect(again.body).toEqual(first.body)
  })

  it('is source and id, for one trigger', async () => {
    await put('triggers/others', {})
    await put('rules/others-rule', { trigger: '/_/others', action: '/_/echo' })
    const fires = [
      await api.call('POST', 'triggers/events', { body: {}, headers: event('id') }),
      await api.call('POST', 'triggers/events', { body: {}, headers: event('id', { 'ce-source': '/elsewhere' }) }),
      await api.call('POST', 'triggers/others', { body: {}, headers: event('id') }),
    ]
    expect(new Set(fires.map(({ body }) => body.activationId)).size).toBe(3)
  })

  it('[rel:R22] can be an Idempotency-Key', async () => {
    const fire = (key: string, n: number): Promise<Answer> =>
      api.call('POST', 'triggers/events', { body: { n }, headers: { 'idempotency-key': key } })
    const first = await fire('a key', 1)
    expect(first.status).toBe(202)
    expect((await fire('a key', 1)).body).toEqual(first.body)
    expect((await fire('a key', 2)).status).toBe(422)
    expect((await fire('another', 1)).body).not.toEqual(first.body)
    expect((await fire('x'.repeat(257), 1)).status).toBe(400)
  })

  it('is repeated for a fire that nobody was waiting for', async () => {
    await put('triggers/unheard', {})
    const headers = event('unheard')
    expect((await api.call('POST', 'triggers/unheard', { body: {}, headers })).status).toBe(204)
    await put('rules/late', { trigger: '/_/unheard', action: '/_/echo' })
    expect((await api.call('POST', 'triggers/unheard', { body: {}, headers })).status).toBe(204)
  })
})

describe('a CloudEvent', () => {
  const binary = { 'ce-specversion': '1.0', 'ce-source': '/test', 'ce-type': 'test.form' }

  it('reaches the action whole', async () => {
    const headers = { ...binary, 'ce-id': 'whole', 'ce-subject': 'form', 'ce-extra': '%C3%A9' }
    const [result] = await results(await api.call('POST', 'triggers/events', { body: { x: 1 }, headers }))
    expect(result).toMatchObject({
      specversion: '1.0',
      id: 'whole',
      source: '/test',
      type: 'test.form',
      subject: 'form',
      extra: 'é',
      data: { x: 1 },
    })
  })

  it('reaches it as its data when the sender says so', async () => {
    const headers = { ...binary, 'ce-id': 'data', 'sluice-input': 'data' }
    const [result] = await results(await api.call('POST', 'triggers/events', { body: { x: 1 }, headers }))
    expect(result.x).toBe(1)
    expect(result).not.toHaveProperty('specversion')
  })

  it('is the same in structured form', async () => {
    const body = { specversion: '1.0', id: 'structured', source: '/test', type: 'test.form', data: { x: 1 } }
    const headers = { 'content-type': 'application/cloudevents+json' }
    const [result] = await results(await api.call('POST', 'triggers/events', { body, headers }))
    expect(result).toMatchObject({ id: 'structured', data: { x: 1 } })
    const again = { ...binary, 'ce-id': 'structured' }
    expect((await api.call('POST', 'triggers/events', { body: { x: 1 }, headers: again })).status).toBe(202)
    expect((await api.call('POST', 'triggers/events', { body: { x: 2 }, headers: again })).status).toBe(422)
  })

  it.each([
    ['without an id', { 'ce-id': '' }],
    ['of an unknown version', { 'ce-id': 'v', 'ce-specversion': '9' }],
    ['with a time that is none', { 'ce-id': 't', 'ce-time': 'yesterday' }],
  ])('%s is refused', async (_title, more) => {
    const answer = await api.call('POST', 'triggers/events', { body: {}, headers: { ...binary, ...more } })
    expect(answer.status).toBe(400)
    expect(answer.body).toEqual({ error: expect.any(String), code: answer.headers['x-request-id'] })
  })
})
