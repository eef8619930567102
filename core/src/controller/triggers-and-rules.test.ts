import { describe, expect, it } from 'vitest'
import { SluiceError, bounds } from '../model/index.ts'
import { createFixture, nodeAction, other, type Fixture } from './testing/fixture.ts'

const link = { trigger: '/_/t', action: '/_/a' }

/** A namespace with trigger `t`, action `a`, and rule `r` between them if asked for. */
async function withParts(rule = false): Promise<Fixture> {
  const fixture = await createFixture()
  await fixture.call('PUT', '~triggers/t', {})
  await fixture.call('PUT', '~actions/a', nodeAction)
  if (rule) await fixture.call('PUT', '~rules/r', link)
  return fixture
}

describe('triggers', () => {
  it('[rest:109] creates a trigger from nothing', async () => {
    const { call } = await createFixture()
    const { status, json } = await call('PUT', '~triggers/t', {})
    expect(status).toBe(200)
    expect(json).toEqual({
      namespace: 'guest',
      name: 't',
      version: '0.0.1',
      publish: false,
      updated: expect.any(Number),
      annotations: [],
      parameters: [],
      limits: {},
    })
  })

  it.each(['', 'a,b', 5, '/'])('[rest:110] refuses the feed name %j at creation, not at update', async feed => {
    const { call } = await createFixture()
    const body = { annotations: [{ key: 'feed', value: feed }] }
    const { status, json } = await call('PUT', '~triggers/t', body)
    expect([status, json.error]).toEqual([400, 'Feed name is not valid'])
    await call('PUT', '~triggers/t', { annotations: [{ key: 'feed', value: '/whisk.system/alarms/alarm' }] })
    expect((await call('PUT', '~triggers/t?overwrite=true', body)).status).toBe(200)
  })

  it('replaces annotations and parameters on update, and keeps the links', async () => {
    const { call } = await withParts(true)
    const first = { annotations: [{ key: 'x', value: 1 }], parameters: [{ key: 'p', value: 1 }] }
    await call('PUT', '~triggers/t?overwrite=true', first)
    const { json } = await call('PUT', '~triggers/t?overwrite=true', { annotations: [{ key: 'y', value: 2 }] })
    expect(json).toMatchObject({
      version: '0.0.3',
      annotations: [{ key: 'y', value: 2 }],
      parameters: first.parameters,
      rules: { 'guest/r': { action: { path: 'guest', name: 'a' }, status: 'active' } },
    })
  })

  it('lists triggers without what is inside', async () => {
    const { call } = await withParts(true)
    const { json } = await call('GET', '~triggers')
    expect(json).toEqual([
      { namespace: 'guest', name: 't', version: '0.0.1', publish: false, updated: expect.any(Number), annotations: [] },
    ])
    expect((await call('GET', '~triggers?count=true')).json).toEqual({ triggers: 1 })
  })

  it('[rest:111] answers 204 when no rule is active', async () => {
    const { call } = await withParts()
    const { status, text, headers } = await call('POST', '~triggers/t', {})
    expect([status, text]).toEqual([204, ''])
    expect(headers).not.toHaveProperty('content-type')
    expect(headers).not.toHaveProperty('x-openwhisk-activation-id')
  })

  it('[rest:112] answers 202 with the id when a rule is active', async () => {
    const { call, fired } = await withParts(true)
    const { status, json, headers } = await call('POST', '~triggers/t', { xxx: 'yyy' }, { headers: { Foo: 'Bar' } })
    expect(status).toBe(202)
    expect(json).toEqual({ activationId: headers['x-openwhisk-activation-id'] })
    expect(fired[0]).toMatchObject({ payload: '{"xxx":"yyy"}', headers: { foo: 'Bar' }, trigger: { name: 't' } })
  })

  it('[rest:114] answers 404 when the trigger is missing', async () => {
    const { call } = await createFixture()
    const { status, json } = await call('POST', '~triggers/none', {})
    expect([status, json.error]).toEqual([404, 'The requested resource does not exist.'])
  })

  it('[rest:116] refuses a payload beyond 1 MiB, missing trigger or not', async () => {
    const { call } = await withParts()
    const body = { x: 'x'.repeat(bounds.api.payloadBytesMax) }
    for (const name of ['t', 'none']) {
      const { status, json } = await call('POST', `~triggers/${name}`, body)
      expect([status, json.error]).toEqual([413, `Request larger than allowed: 1048584 > 1048576 bytes.`])
    }
  })

  it('[rest:117] has nothing below a trigger', async () => {
    const { call } = await withParts()
    expect((await call('GET', '~triggers/t/bar')).status).toBe(404)
  })

  it('refuses a payload that is no object, or no JSON', async () => {
    const { call } = await withParts(true)
    expect((await call('POST', '~triggers/t', [])).json.error).toContain('JSON object expected')
    expect((await call('POST', '~triggers/t', 'x')).status).toBe(415)
  })

  it('passes CloudEvents on as bytes, whatever their data is', async () => {
    const { call, fired } = await withParts(true)
    const binary = { 'ce-specversion': '1.0', 'ce-id': '1', 'content-type': 'text/plain' }
    expect((await call('POST', '~triggers/t', 'plain data', { headers: binary })).status).toBe(202)
    const structured = { 'content-type': 'application/cloudevents+json; charset=utf-8' }
    expect((await call('POST', '~triggers/t', '{"id":"1"}', { headers: structured })).status).toBe(202)
    expect(fired.map(({ payload }) => [Buffer.isBuffer(payload), payload.toString()])).toEqual([
      [true, 'plain data'],
      [true, '{"id":"1"}'],
    ])
    const deep = '['.repeat(1000)
    expect((await call('POST', '~triggers/t', deep, { headers: structured })).json.error).toContain('too deeply')
  })

  it('counts fires by the minute, apart from invocations', async () => {
    const { call, setLimits } = await withParts(true)
    await setLimits('guest', { firesPerMinute: 0 })
    const { status, json } = await call('POST', '~triggers/none', {})
    expect([status, json.error]).toEqual([429, 'Too many requests in the last minute (count: 1, allowed: 0).'])
    expect((await call('POST', '~actions/a', {})).status).toBe(202)
  })
})

describe('rules', () => {
  it('[rest:118] links an action to a trigger', async () => {
    const { call } = await withParts()
    const before = (await call('GET', '~triggers/t')).json
    const { status, json } = await call('PUT', '~rules/r', link)
    expect(status).toBe(200)
    expect(json).toEqual({
      namespace: 'guest',
      name: 'r',
      version: '0.0.1',
      publish: false,
      updated: expect.any(Number),
      annotations: [],
      status: 'active',
      trigger: { path: 'guest', name: 't' },
      action: { path: 'guest', name: 'a' },
    })
    const rules = { 'guest/r': { action: { path: 'guest', name: 'a' }, status: 'active' } }
    expect((await call('GET', '~triggers/t')).json).toEqual({ ...before, rules })
  })

  it.each([
    [
      '[rest:119] bare names',
      { trigger: 't', action: 'a' },
      'The request content was malformed:\nrequirement failed: The fully qualified name of the entity must contain at least the namespace and the name of the entity.',
    ],
    ['[rest:120] a missing action', { trigger: '/_/t', action: '/_/none' }, 'action /guest/none does not exist'],
    ['[rest:121] a missing trigger', { trigger: '/_/none', action: '/_/gone' }, 'trigger /guest/none does not exist'],
    ['[rest:122] nothing', {}, 'rule requires a valid trigger and a valid action'],
    ['a trigger alone', { trigger: '/_/t' }, 'rule requires a valid trigger and a valid action'],
    [
      'an action for a trigger',
      { trigger: '/_/a', action: '/_/a' },
      'document type class org.apache.openwhisk.core.entity.WhiskAction did not match expected type class org.apache.openwhisk.core.entity.WhiskTrigger.',
    ],
    [
      'a trigger for an action',
      { trigger: '/_/t', action: '/_/t' },
      'document type class org.apache.openwhisk.core.entity.WhiskTrigger did not match expected type class org.apache.openwhisk.core.entity.WhiskActionMetaData.',
    ],
  ])('refuses %s', async (_title, body, error) => {
    const { call } = await withParts()
    const { status, json } = await call('PUT', '~rules/r', body)
    expect([status, json.error]).toEqual([400, error])
  })

  it('says when the trigger or the action is damaged', async () => {
    const { call, artifacts } = await withParts()
    for (const [name, entityType] of [
      ['x', 'trigger'],
      ['y', 'action'],
    ] as const) {
      await artifacts.put(`guest/${name}`, { entityType, namespace: 'guest', updated: 1, name })
    }
    const trigger = await call('PUT', '~rules/r', { ...link, trigger: '/_/x' })
    expect(trigger.json.error).toBe('trigger /guest/x is corrupted')
    const action = await call('PUT', '~rules/r', { ...link, action: '/_/y' })
    expect(action.json.error).toBe('action /guest/y is corrupted')
  })

  it('asks for the right to read trigger and action', async () => {
    const { call } = await withParts()
    await call('PUT', '~packages/private', {}, { as: other })
    const { status, json } = await call('PUT', '~rules/r', { trigger: '/other/t', action: '/other/private/a' })
    expect(status).toBe(403)
    expect(json.error).toBe("The supplied authentication is not authorized to access 'other/private, other/t'.")
    expect((await call('PUT', '~rules/r', { ...link, action: '/_/none/a' })).status).toBe(404)
  })

  it('keeps the binding in a link to a bound action', async () => {
    const { call } = await withParts()
    await call('PUT', '~packages/p', {})
    await call('PUT', '~actions/p/a', nodeAction)
    await call('PUT', '~packages/b', { binding: { namespace: '_', name: 'p' } })
    const { json } = await call('PUT', '~rules/r', { ...link, action: '/_/b/a' })
    expect(json.action).toEqual({ path: 'guest/b', name: 'a' })
    const missing = await call('PUT', '~rules/r2', { ...link, action: '/_/b/none' })
    expect(missing.json.error).toBe('action /guest/b/none does not exist')
  })

  it('[rest:123] updates from nothing, and stays active', async () => {
    const { call } = await withParts(true)
    const { json } = await call('PUT', '~rules/r?overwrite=true', {})
    expect([json.version, json.status]).toEqual(['0.0.2', 'active'])
    expect((await call('PUT', '~rules/r', {})).status).toBe(409)
  })

  it('[rest:124] keeps the status when the action changes', async () => {
    const { call } = await withParts(true)
    await call('POST', '~rules/r', { status: 'inactive' })
    await call('PUT', '~actions/a2', nodeAction)
    const { json } = await call('PUT', '~rules/r?overwrite=true', { action: '/_/a2' })
    expect([json.status, json.action.name]).toEqual(['inactive', 'a2'])
    expect((await call('GET', '~triggers/t')).json.rules['guest/r']).toEqual({
      action: { path: 'guest', name: 'a2' },
      status: 'inactive',
    })
  })

  it.each(['active', 'inactive'])('[rest:125] moves an %s link to another trigger', async status => {
    const { call } = await withParts(true)
    await call('POST', '~rules/r', { status })
    await call('PUT', '~triggers/t2', {})
    const { json } = await call('PUT', '~rules/r?overwrite=true', { trigger: '/_/t2' })
    expect([json.status, json.trigger.name]).toEqual([status, 't2'])
    expect((await call('GET', '~triggers/t')).json.rules).toEqual({})
    expect((await call('GET', '~triggers/t2')).json.rules['guest/r'].status).toBe(status)
  })

  it('[rest:126] [rest:127] deactivates, also what is inactive already', async () => {
    const { call, artifacts } = await withParts(true)
    const body = { status: 'inactive', trigger: null, action: null }
    for (let time = 1; time <= 2; time++) {
      const { status, text, headers } = await call('POST', '~rules/r', body)
      expect([status, text, headers['content-type']]).toEqual([200, 'OK', 'text/plain; charset=UTF-8'])
      expect((await call('GET', '~rules/r')).json.status).toBe('inactive')
    }
    const before = (await artifacts.get('guest/t'))?.revision
    await call('POST', '~rules/r', { status: 'inactive' })
    expect((await artifacts.get('guest/t'))?.revision).toBe(before)
    await call('POST', '~rules/r', { status: 'active' })
    expect((await call('GET', '~rules/r')).json.status).toBe('active')
  })

  it('[rest:128] activates no rule whose trigger is gone, and deactivates it', async () => {
    const { call } = await withParts(true)
    await call('DELETE', '~triggers/t')
    const { status, json } = await call('POST', '~rules/r', { status: 'active' })
    expect([status, json.error]).toEqual([404, 'Only rules with existing triggers can be activated'])
    expect((await call('POST', '~rules/r', { status: 'inactive' })).status).toBe(200)
  })

  it('links again when it is activated after its trigger was made anew', async () => {
    const { call } = await withParts(true)
    await call('DELETE', '~triggers/t')
    await call('PUT', '~triggers/t', {})
    expect((await call('GET', '~rules/r')).json.status).toBe('inactive')
    await call('POST', '~rules/r', { status: 'active' })
    expect((await call('GET', '~triggers/t')).json.rules['guest/r'].status).toBe('active')
  })

  it('keeps its filter when it is activated after its trigger was made anew', async () => {
    const { call, fired } = await withParts(true)
    const annotations = [{ key: 'filter', value: "type = 'a'" }]
    await call('PUT', '~rules/r?overwrite=true', { annotations })
    await call('DELETE', '~triggers/t')
    await call('PUT', '~triggers/t', {})
    // Nothing to explain yet, and it is not the trigger that is missing.
    const { status, json } = await call('POST', '~rules/r/explain', {})
    expect([status, json.error]).toEqual([404, "The trigger of rule 'r' is not linked to it: activate the rule."])
    await call('POST', '~rules/r', { status: 'active' })
    await call('POST', '~triggers/t', {})
    expect(fired.at(-1)?.trigger.rules?.['guest/r']).toMatchObject({ status: 'active', annotations })
    for (const status of ['inactive', 'active']) await call('POST', '~rules/r', { status })
    await call('POST', '~triggers/t', {})
    expect(fired.at(-1)?.trigger.rules?.['guest/r']).toMatchObject({ status: 'active', annotations })
  })

  it.each([
    [{ status: 'xxx' }, 'requirement failed: xxx is not a recognized rule state'],
    [{}, 'key not found: status'],
    [{ status: 5 }, '5 (of class spray.json.JsNumber)'],
    [{ status: [1] }, '[1] (of class spray.json.JsArray)'],
  ])('[rest:129] refuses the status %j', async (body, detail) => {
    const { call } = await withParts(true)
    const { status, json } = await call('POST', '~rules/r', body)
    expect([status, json.error]).toEqual([400, `The request content was malformed:\n${detail}`])
  })

  it('[rest:130] deletes an active rule with its link', async () => {
    const { call } = await withParts(true)
    const { status, json } = await call('DELETE', '~rules/r')
    expect([status, json.status]).toEqual([200, 'inactive'])
    expect((await call('GET', '~triggers/t')).json.rules).toEqual({})
    expect((await call('DELETE', '~rules/r')).status).toBe(404)
  })

  it('[rest:131] [rest:133] survives its trigger, inactive, and can be deleted then', async () => {
    const { call } = await withParts(true)
    const deleted = await call('DELETE', '~triggers/t')
    expect(deleted.json.rules['guest/r'].status).toBe('active')
    const { status, json } = await call('GET', '~rules/r')
    expect([status, json.status]).toEqual([200, 'inactive'])
    expect((await call('DELETE', '~rules/r')).status).toBe(200)
  })

  it('[rest:132] lists rules without their status', async () => {
    const { call } = await withParts(true)
    const { json } = await call('GET', '~rules')
    expect(json).toHaveLength(1)
    expect(json[0]).not.toHaveProperty('status')
    expect(json[0].action).toEqual({ path: 'guest', name: 'a' })
  })

  it('loses no link when many rules are made at once, and another process writes the trigger too', async () => {
    const { call, artifacts } = await withParts()
    const { put } = artifacts
    let conflicts = 0
    artifacts.put = (id, document, revision) => {
      if (id === 'guest/t' && revision !== undefined && conflicts++ % 3 === 0) {
        return Promise.reject(new SluiceError('SLUICE_CONFLICT', 'somebody else was faster'))
      }
      return put(id, document, revision)
    }
    const names = Array.from({ length: 20 }, (_, number) => `r${number}`)
    const made = await Promise.all(names.map(name => call('PUT', `~rules/${name}`, link)))
    expect(new Set(made.map(({ status }) => status))).toEqual(new Set([200]))
    const rules = (await call('GET', '~triggers/t')).json.rules as object
    expect(Object.keys(rules).sort()).toEqual(names.map(name => `guest/${name}`).sort())
  })
})
