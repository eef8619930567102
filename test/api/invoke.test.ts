import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { eventually, type Api } from '../rig/api.ts'
import { openHubUnderTest, type HubUnderTest } from '../rig/hub-under-test.ts'

/** Invokes and their records, through a hub with real containers (rest-api.md §5, §6, §13.4, §13.5). */

let hub: HubUnderTest
let api: Api
const prefix = '/api/v1/namespaces'

beforeAll(async () => {
  hub = await openHubUnderTest()
  api = hub.mine.api
  await action('echo', 'function main(args) { return args }')
  await action('error', `function main() { return { error: 'x', y: 1 } }`)
  await action('slow', 'function main() { return new Promise(done => setTimeout(() => done({ slept: true }), 300)) }')
})
afterAll(async () => {
  for (const { name } of (await api?.call('GET', 'actions?limit=200'))?.body ?? [])
    await api.call('DELETE', `actions/${name}`)
  await hub?.close()
})

async function action(name: string, code: string, more: object = {}): Promise<void> {
  const body = { exec: { kind: 'nodejs:default', code }, ...more }
  const { status, text } = await api.call('PUT', `actions/${name}?overwrite=true`, { body })
  if (status !== 200) throw new Error(`The action ${name} was not taken: ${status} ${text}`)
}

function record(id: string): Promise<any> {
  return eventually(async () => {
    const { status, body } = await api.call('GET', `activations/${id}`)
    return status === 200 && body
  })
}

describe('an invoke', () => {
  it.each([
    ['[rest:75] that does not wait', 'actions/echo', { x: 1 }],
    ['[rest:76] that asks for the result without waiting', 'actions/echo?result=true', {}],
    ['[rest:77] without a body', 'actions/echo', undefined],
  ])('%s is answered with the id, and its record comes', async (_title, path, body) => {
    const answer = await api.call('POST', path, { body })
    expect(answer.status).toBe(202)
    expect(answer.body).toEqual({ activationId: answer.headers['x-openwhisk-activation-id'] })
    expect((await record(answer.body.activationId)).response.result).toEqual(body ?? {})
  })

  it('[rest:78] that waits is answered with the record', async () => {
    const { status, headers, body } = await api.call('POST', 'actions/echo?blocking=true', { body: { x: 1 } })
    expect(status).toBe(200)
    expect(body).toMatchObject({ logs: [], name: 'echo', response: { success: true, result: { x: 1 } } })
    expect(headers['x-openwhisk-activation-id']).toBe(body.activationId)
    // It is there as soon as the answer is.
    expect((await api.call('GET', `activations/${body.activationId}`)).status).toBe(200)
  })

  it('[rest:79] that waits for the result alone gets exactly that', async () => {
    const { status, text } = await api.call('POST', 'actions/echo?blocking=true&result=true', {
      body: { hello: 'Robert' },
    })
    expect([status, text]).toEqual([200, '{"hello":"Robert"}'])
  })

  it.each([0, 65_000])('[rest:80] that would wait %i ms is refused', async ms => {
    const { status, body } = await api.call('POST', `actions/echo?blocking=true&timeout=${ms}`)
    expect(status).toBe(400)
    expect(body.error).toContain('Timeout must be number of milliseconds up to 60000.')
  })

  it('[rest:81] that waits less than the action takes gets the id', async () => {
    const { status, headers, body } = await api.call('POST', 'actions/slow?blocking=true&timeout=100')
    expect([status, Object.keys(body)]).toEqual([202, ['activationId']])
    expect(headers['x-openwhisk-activation-id']).toBe(body.activationId)
    expect((await record(body.activationId)).response.result).toEqual({ slept: true })
  })

  it('[rest:82] [rest:83] of an action that says error gets 502, with the record or the error alone', async () => {
    const whole = await api.call('POST', 'actions/error?blocking=true')
    expect(whole.status).toBe(502)
    expect(whole.body.response).toMatchObject({ status: 'application error', success: false, result: { error: 'x' } })
    expect(whole.body).not.toHaveProperty('code')
    const alone = await api.call('POST', 'actions/error?blocking=true&result=true')
    expect([alone.status, alone.text]).toEqual([502, '{"error":"x"}'])
  })

  it('[rest:86] may not redefine what a final action has defined, but what is null in it', async () => {
    const parameters = [
      { key: 'a', value: 'A' },
      { key: 'empty', value: null },
    ]
    await action('final', 'function main(args) { return args }', {
      parameters,
      annotations: [{ key: 'final', value: true }],
    })
    const refused = await api.call('POST', 'actions/final', { body: { a: 'B' } })
    expect(refused.status).toBe(400)
    expect(refused.body.error).toContain('Request defines parameters that are not allowed')
    expect((await api.call('POST', 'actions/final', { body: { empty: 'C' } })).status).toBe(202)
  })

  it('[rest:87] of more than 1 MiB is refused', async () => {
    const { status, body } = await api.call('POST', 'actions/echo', { body: { x: 'x'.repeat(1024 * 1024) } })
    expect(status).toBe(413)
    expect(body.error).toContain('Request larger than allowed:')
  })

  it("[rest:92] of another's public package is the caller's own", async () => {
    await api.call('PUT', 'packages/shared', { body: { publish: true } })
    await action('shared/echo', 'function main(args) { return args }')
    const path = `${prefix}/${hub.mine.namespace}/actions/shared/echo`
    const { status, body } = await hub.other.api.call('POST', `${path}?blocking=true`, { body: { x: 1 } })
    expect(status).toBe(200)
    expect(body.namespace).toBe(hub.other.namespace)
    expect(body.annotations).toContainEqual({ key: 'path', value: `${hub.mine.namespace}/shared/echo` })
    expect((await hub.other.api.call('GET', `activations/${body.activationId}`)).status).toBe(200)
    expect((await api.call('GET', `activations/${body.activationId}`)).status).toBe(404)
    await api.call('DELETE', 'packages/shared?force=true')
  })

  it('[rest:93] of nothing is 404', async () => {
    expect((await api.call('POST', 'actions/none')).status).toBe(404)
  })

  it('[runtime:SYS-01] keeps every character, in arguments, code and logs', async () => {
    const text = '❄ ☃ \u2028 𝄞 "\\\u0000'
    await action(
      'unicode',
      `function main({ text }) { console.log('❄ ' + text); return { winter: '❄ ' + text + ' ❄' } }`,
    )
    const { body } = await api.call('POST', 'actions/unicode?blocking=true', { body: { text } })
    expect(body.response.result).toEqual({ winter: `❄ ${text} ❄` })
    expect((await record(body.activationId)).logs[0]).toMatch(/ stdout: ❄ ❄ ☃ \u2028 𝄞 "\\\u0000$/u)
  })

  it('[runtime:SYS-02] tells how long a new container took to begin, and of a used one does not', async () => {
    await action('fresh', 'function main() { return { hello: 1 } }')
    const keys = async (): Promise<string[]> => {
      const { body } = await api.call('POST', 'actions/fresh?blocking=true')
      return body.annotations.map(({ key }: { key: string }) => key)
    }
    expect(await keys()).toContain('initTime')
    expect(await keys()).not.toContain('initTime')
  })

  it('[runtime:SYS-03] of an action that throws is a developer error', async () => {
    await action('throws', `function main() { throw new Error('on the floor') }`)
    const { status, body } = await api.call('POST', 'actions/throws?blocking=true')
    expect(status).toBe(502)
    expect(body.response.status).toBe('action developer error')
    expect(body.response.result.error).toContain('on the floor')
  })

  it('[runtime:SYS-04] can invoke another action with the key it is given, and wait for it', async () => {
    const code = `const openwhisk = require('openwhisk')
      async function main({ name }) {
        const ow = openwhisk({ apihost: process.env.__OW_API_HOST, api_key: process.env.__OW_API_KEY })
        return ow.actions.invoke({ name, params: { nested: true }, blocking: true, result: true })
      }`
    await action('nests', code, { annotations: [{ key: 'provide-api-key', value: true }] })
    const { status, body } = await api.call('POST', 'actions/nests?blocking=true&result=true', {
      body: { name: 'echo' },
    })
    expect([status, body]).toEqual([200, { nested: true }])
  })

  it('has no key in its environment unless it asked for one', async () => {
    await action('looks', 'function main() { return { env: process.env } }')
    const { body } = await api.call('POST', 'actions/looks?blocking=true&result=true')
    expect(body.env).not.toHaveProperty('__OW_API_KEY')
    expect(body.env.__OW_NAMESPACE).toBe(hub.mine.namespace)
    expect(body.env.__OW_ACTION_NAME).toBe(`/${hub.mine.namespace}/looks`)
    expect(body.env.__OW_ACTIVATION_ID).toMatch(/^[0-9a-f]{32}$/)
  })

  it('[runtime:SYS-05] of an action without code fails with a developer error', async () => {
    await action('empty', '')
    const { status, body } = await api.call('POST', 'actions/empty?blocking=true')
    expect([status, body.response.status]).toEqual([502, 'action developer error'])
  })

  it('[runtime:SYS-06] of an action with 40 MB of code works', async () => {
    await action('large', `/*${'x'.repeat(40 * 1024 * 1024)}*/ function main() { return { large: true } }`)
    const { status, body } = await api.call('POST', 'actions/large?blocking=true&result=true')
    expect([status, body]).toEqual([200, { large: true }])
  })

  it('runs the newest version as soon as it is put', async () => {
    for (let version = 1; version <= 5; version++) {
      await action('changes', `function main() { return { version: ${version} } }`)
      const { body } = await api.call('POST', 'actions/changes?blocking=true&result=true')
      expect(body).toEqual({ version })
    }
  })

  it('is answered for each of many at once with its own result', async () => {
    const answers = await Promise.all(
      Array.from({ length: 50 }, (_, n) => api.call('POST', 'actions/echo?blocking=true&result=true', { body: { n } })),
    )
    expect(answers.map(({ body }) => body)).toEqual(answers.map((_, n) => ({ n })))
  })
})

describe('an activation', () => {
  let id: string
  let startMs: number
  beforeAll(async () => {
    await action('speaks', `function main() { console.log('out'); console.error('err'); return { said: true } }`)
    const { body } = await api.call('POST', 'actions/speaks?blocking=true')
    id = body.activationId
    startMs = body.start
  })

  it('[rest:94] has the fields and annotations of its record', async () => {
    const { status, body } = await api.call('GET', `activations/${id}`)
    expect(status).toBe(200)
    const fields = [
      'activationId',
      'annotations',
      'duration',
      'end',
      'logs',
      'name',
      'namespace',
      'publish',
      'response',
    ]
    expect(Object.keys(body).sort()).toEqual([...fields, 'start', 'subject', 'version'].sort())
    const keys = body.annotations.map(({ key }: { key: string }) => key)
    expect(keys).toEqual(expect.arrayContaining(['path', 'limits', 'kind', 'timeout', 'waitTime']))
    expect(body.end - body.start).toBe(body.duration)
  })

  it('[rest:95] [rest:96] gives its result and its logs apart', async () => {
    expect((await api.call('GET', `activations/${id}/result`)).body).toEqual({
      result: { said: true },
      status: 'success',
      success: true,
      size: '{"said":true}'.length,
    })
    const { body } = await api.call('GET', `activations/${id}/logs`)
    // Each stream keeps its order; between the two there is none.
    const time = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{9}Z /
    expect(body.logs).toEqual(Array(2).fill(expect.stringMatching(time)))
    expect(body.logs.map((line: string) => line.replace(time, '')).sort()).toEqual(['stderr: err', 'stdout: out'])
  })

  it.each([
    ['[rest:97]', 'a'.repeat(31), 400, 'Activation id length is 31 but must be 32.'],
    ['[rest:98]', `${'a'.repeat(31)}z`, 400, 'The activation id is not valid.'],
    ['[rest:99]', 'a'.repeat(32), 404, 'The requested resource does not exist.'],
    ['[rest:99] with /logs', `${'a'.repeat(32)}/logs`, 404, 'The requested resource does not exist.'],
    ['[rest:99] with /result', `${'a'.repeat(32)}/result`, 404, 'The requested resource does not exist.'],
    ['[rest:100]', `${'a'.repeat(32)}/bogus`, 404, 'could not be found'],
  ])('%s that is none is told so', async (_title, path, status, text) => {
    const answer = await api.call('GET', `activations/${path}`)
    expect(answer.status).toBe(status)
    expect(answer.body.error).toContain(text)
    expect(answer.body.code).toBe(answer.headers['x-request-id'])
  })

  it('[rest:101] is listed, newest first', async () => {
    const { body } = await api.call('GET', 'activations?limit=200')
    const starts = body.map(({ start }: { start: number }) => start)
    expect(starts).toEqual([...starts].sort((a: number, b: number) => b - a))
    expect(body.map(({ activationId }: { activationId: string }) => activationId)).toContain(id)
  })

  it('[rest:102] [rest:103] is listed by time, bounds included, and by name', async () => {
    const at = `since=${startMs}&upto=${startMs}`
    const { body } = await api.call('GET', `activations?docs=true&name=speaks&${at}`)
    expect(body).toMatchObject([{ activationId: id, response: { result: { said: true } } }])
    expect((await api.call('GET', `activations?name=speaks&since=${startMs + 1}`)).body).toEqual([])
    expect((await api.call('GET', 'activations?name=nobody/speaks')).body).toEqual([])
    expect((await api.call('GET', 'activations?name=a/b/c')).status).toBe(400)
  })

  it.each([
    ['[rest:104]', 'name=0%20', "'simple' name"],
    ['[rest:105]', 'since=xxx', 'not a valid value for epoch seconds: xxx'],
    ['[rest:106]', 'count=true&docs=true', "The parameter 'docs' is not permitted with 'count'."],
  ])('%s is not listed by %s', async (_title, query, text) => {
    const { status, body } = await api.call('GET', `activations?${query}`)
    expect(status).toBe(400)
    expect(body.error).toContain(text)
  })

  it('[rest:107] cannot be written', async () => {
    for (const method of ['PUT', 'POST', 'DELETE']) {
      expect((await api.call(method, `activations/${id}`, { body: {} })).status).toBe(404)
    }
  })

  it('is not shown to others', async () => {
    expect((await hub.other.api.call('GET', `activations/${id}`)).status).toBe(404)
    const foreign = await hub.other.api.call('GET', `${prefix}/${hub.mine.namespace}/activations/${id}`)
    expect(foreign.status).toBe(403)
  })
})
