import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { eventually, putEntity, type Api } from '../rig/api.ts'
import { openHubUnderTest, type HubUnderTest } from '../rig/hub-under-test.ts'

/** What becomes of parameters on their way: merged, kept to the digit, given to `/init`, locked away. */

let hub: HubUnderTest
let api: Api

beforeAll(async () => {
  hub = await openHubUnderTest()
  api = hub.mine.api
})
afterAll(async () => {
  await api?.call('DELETE', 'packages/tools?force=true')
  for (const path of ['rules/exact-rule', 'triggers/exact-event', 'actions/exact', 'actions/sees', 'actions/echo']) {
    await api?.call('DELETE', path)
  }
  await hub?.close()
})

const put = (path: string, body: unknown): Promise<void> => putEntity(api, path, body)

const echo = { kind: 'nodejs:default', code: 'function main(args) { return args }' }
const exact = '123456789012345678901234567890'
const fraction = '0.10000000000000000000000001'

describe('parameters', () => {
  it('win over each other in the order package, binding, action, caller', async () => {
    const from = (value: string, ...keys: string[]): object[] => keys.map(key => ({ key, value }))
    await put('packages/tools', { publish: true, parameters: from('package', 'p', 'b', 'a', 'c') })
    await put('packages/bound', {
      binding: { namespace: '_', name: 'tools' },
      parameters: from('binding', 'b', 'a', 'c'),
    })
    await put('actions/tools/echo', { exec: echo, parameters: from('action', 'a', 'c') })
    const { body } = await api.call('POST', 'actions/bound/echo?blocking=true&result=true', { body: { c: 'caller' } })
    expect(body).toEqual({ p: 'package', b: 'binding', a: 'action', c: 'caller' })
    await api.call('DELETE', 'packages/bound')
  })

  it('keep all digits of numbers, in entities, in records and on the way to the runtime', async () => {
    const parameters = `[{"key":"large","value":${exact}},{"key":"small","value":{"deep":[${fraction}]}}]`
    // The runtime's own parser rounds what it hands to code; as text it can be seen what arrived.
    const code = 'function main(args) { return args }'
    await put('actions/exact', `{"exec":{"kind":"nodejs:default","code":"${code}"},"parameters":${parameters}}`)
    const { text } = await api.call('GET', 'actions/exact')
    expect(text).toContain(exact)
    expect(text).toContain(fraction)
    await put('triggers/exact-event', `{"parameters":${parameters}}`)
    expect((await api.call('GET', 'triggers/exact-event')).text).toContain(exact)

    await put('rules/exact-rule', { trigger: '/_/exact-event', action: '/_/exact' })
    const fire = await api.call('POST', 'triggers/exact-event', { body: `{"payload":-${exact}}` })
    const record = await eventually(async () => {
      const answer = await api.call('GET', `activations/${fire.body.activationId}`)
      return answer.status === 200 && answer.text
    })
    expect(record).toContain(`{"payload":-${exact}}`)
  }, 20_000)

  it('[runtime:PROTO-22] marked as init are environment variables of the action, not arguments', async () => {
    await put('actions/sees', {
      exec: { kind: 'nodejs:default', code: 'function main(args) { return { args, env: process.env } }' },
      parameters: [
        { key: 'TEXT', value: 'a=b=c\nd', init: true },
        { key: 'NUMBER', value: 12.5, init: true },
        { key: 'NOTHING', value: null, init: true },
        { key: 'FLAG', value: false, init: true },
        { key: 'OBJECT', value: { a: [1] }, init: true },
        { key: 'plain', value: 1 },
      ],
    })
    const { body } = await api.call('POST', 'actions/sees?blocking=true&result=true', { body: { more: 2 } })
    expect(body.args).toEqual({ plain: 1, more: 2 })
    expect(body.env).toMatchObject({
      TEXT: 'a=b=c\nd',
      NUMBER: '12.5',
      NOTHING: '',
      FLAG: 'false',
      OBJECT: '{"a":[1]}',
    })
    const { parameters } = (await api.call('GET', 'actions/sees')).body
    expect(parameters).toContainEqual({ key: 'FLAG', value: false, init: true })
  })

  it('[sec:S5] named like parts of prototypes are data like all others', async () => {
    await put('actions/echo', { exec: echo })
    const body =
      '{"__proto__":{"polluted":1},"constructor":{"prototype":{"polluted":1}},"toString":1,"hasOwnProperty":2}'
    const { status, text } = await api.call('POST', 'actions/echo?blocking=true&result=true', { body })
    expect(status).toBe(200)
    expect(JSON.parse(text)).toMatchObject({
      constructor: { prototype: { polluted: 1 } },
      toString: 1,
      hasOwnProperty: 2,
    })
    expect(text).toContain('"__proto__":{"polluted":1}')
    const fresh = await api.call('POST', 'actions/echo?blocking=true&result=true', { body: {} })
    expect(fresh.text).toBe('{}')
  })
})

describe('secrets of the system packages', () => {
  it('[sec:S14] are not readable through the API, by whatever way the action is looked at', async () => {
    const paths = [
      '/api/v1/namespaces/whisk.system/packages/alarms',
      '/api/v1/namespaces/whisk.system/actions/alarms/alarm',
      '/api/v1/namespaces/whisk.system/actions/alarms/alarm?code=false',
    ]
    await put('packages/peek', { binding: { namespace: 'whisk.system', name: 'alarms' } })
    const answers = await Promise.all(
      [...paths, 'packages/peek', 'actions/peek/alarm'].map(path => api.call('GET', path)),
    )
    await api.call('DELETE', 'packages/peek')
    const [shared] = answers
    const locked = shared?.body.parameters.find(({ key }: { key: string }) => key === 'sluiceToken')
    expect(locked).toBeDefined()
    for (const { status, body } of answers) {
      expect(status).toBe(200)
      for (const parameter of body.parameters) {
        if (parameter.key === 'sluiceToken') expect(parameter).toEqual(locked)
      }
    }
    expect(locked).toMatchObject({ value: expect.any(String), encryption: 'sluice-1:whisk.system/alarms' })
    // What is shown is no key: neither to the provider, nor to whoever puts it into an action of his own.
    const headers = { authorization: `Bearer ${locked.value}` }
    expect((await api.call('GET', '/providers/alarms/v1/subscriptions', { auth: null, headers })).status).toBe(401)
    await put('actions/echo', { exec: echo, parameters: [locked] })
    const opened = await api.call('POST', 'actions/echo?blocking=true', { body: {} })
    expect(opened.body.response.result.sluiceToken).toBe(locked.value)
  })
})
