import { createRequire } from 'node:module'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { eventually } from '../rig/api.ts'
import { openHubUnderTest, type HubUnderTest } from '../rig/hub-under-test.ts'

/** What people do with the npm client `openwhisk`, unmodified. */

// Its types name a package that it does not depend on; answers are checked below anyway.
type Client = Record<string, any>
const openwhisk = createRequire(import.meta.url)('openwhisk') as (options: object) => Client

let hub: HubUnderTest
let client: Client
let foreign: Client

beforeAll(async () => {
  hub = await openHubUnderTest()
  client = openwhisk({ apihost: hub.url, api_key: hub.mine.auth })
  foreign = openwhisk({ apihost: hub.url, api_key: hub.other.auth })
})
afterAll(() => hub?.close())

const echo = 'function main(args) { return args }'

describe('the npm client openwhisk', () => {
  it('[rest:10] lists the namespace of its key', async () => {
    expect(await client.namespaces.list()).toEqual([hub.mine.namespace])
  })

  it('creates, reads, lists, updates and deletes actions', async () => {
    const name = 'client-action'
    const created = await client.actions.create({
      name,
      action: echo,
      params: { a: 1 },
      annotations: { about: 'test' },
      limits: { timeout: 5000 },
    })
    expect(created).toMatchObject({
      namespace: hub.mine.namespace,
      name,
      version: '0.0.1',
      exec: { kind: 'nodejs:20', binary: false },
      limits: { timeout: 5000, memory: 256 },
      parameters: [{ key: 'a', value: 1 }],
    })
    expect(created.annotations).toContainEqual({ key: 'about', value: 'test' })
    expect((await client.actions.get(name)).exec.code).toBe(echo)
    expect((await client.actions.list()).map((action: { name: string }) => action.name)).toContain(name)
    expect(await client.actions.update({ name, action: 'const main = () => ({ new: true })' })).toMatchObject({
      version: '0.0.2',
      parameters: [{ key: 'a', value: 1 }],
    })
    await expect(client.actions.create({ name, action: echo })).rejects.toMatchObject({ statusCode: 409 })
    expect(await client.actions.delete(name)).toMatchObject({ name, version: '0.0.2' })
    await expect(client.actions.get(name)).rejects.toMatchObject({
      statusCode: 404,
      error: { error: 'The requested resource does not exist.' },
    })
  })

  it('invokes without waiting, waiting for the record, and for the result', async () => {
    await client.actions.create({ name: 'client-echo', action: echo, params: { from: 'action' } })
    const { activationId } = await client.actions.invoke({ name: 'client-echo', params: { x: 1 } })
    expect(activationId).toMatch(/^[0-9a-f]{32}$/)
    const record = await client.actions.invoke({ name: 'client-echo', params: { x: 2 }, blocking: true })
    expect(record.response).toMatchObject({ success: true, result: { from: 'action', x: 2 } })
    expect(
      await client.actions.invoke({ name: 'client-echo', params: { x: 3 }, blocking: true, result: true }),
    ).toEqual({
      from: 'action',
      x: 3,
    })
    const later = await eventually(() => client.activations.get(activationId).catch(() => undefined))
    expect(later).toMatchObject({ activationId, response: { result: { from: 'action', x: 1 } } })
    await client.actions.delete('client-echo')
  })

  it('tells what an action said was wrong', async () => {
    await client.actions.create({ name: 'client-error', action: `const main = () => ({ error: 'not today' })` })
    const thrown = await client.actions
      .invoke({ name: 'client-error', blocking: true })
      .catch((error: unknown) => error as Record<string, unknown>)
    expect(thrown).toMatchObject({
      statusCode: 502,
      error: { response: { status: 'application error', success: false, result: { error: 'not today' } } },
    })
    await client.actions.delete('client-error')
  })

  it('reads logs and results of activations, and lists them by name', async () => {
    await client.actions.create({
      name: 'client-speaker',
      action: `function main() { console.log('to stdout'); console.error('to stderr'); return { said: true } }`,
    })
    const { activationId } = await client.actions.invoke({ name: 'client-speaker', blocking: true })
    const { logs } = await client.activations.logs({ name: activationId })
    // Each stream keeps its order; between the two there is none.
    const texts = logs.map((line: string) => line.replace(/^\S+\s+/, ''))
    expect(texts.sort()).toEqual(['stderr: to stderr', 'stdout: to stdout'])
    expect(await client.activations.result({ name: activationId })).toMatchObject({
      status: 'success',
      success: true,
      result: { said: true },
    })
    const listed = await client.activations.list({ name: 'client-speaker', limit: 5 })
    expect(listed.map((entry: { activationId: string }) => entry.activationId)).toEqual([activationId])
    await client.actions.delete('client-speaker')
  })

  it('keeps packages, binds them, and calls through the binding', async () => {
    await client.packages.create({
      name: 'client-tools',
      package: { publish: true, parameters: [{ key: 'level', value: 'package' }] },
    })
    await client.actions.create({ name: 'client-tools/echo', action: echo })
    expect((await client.packages.get('client-tools')).actions).toMatchObject([{ name: 'echo' }])
    await foreign.packages.create({
      name: 'client-bound',
      package: {
        binding: { namespace: hub.mine.namespace, name: 'client-tools' },
        parameters: [{ key: 'bound', value: 1 }],
      },
    })
    expect((await foreign.packages.list()).map((entry: { name: string }) => entry.name)).toContain('client-bound')
    expect(await foreign.actions.invoke({ name: 'client-bound/echo', blocking: true, result: true })).toEqual({
      level: 'package',
      bound: 1,
    })
    await foreign.packages.delete('client-bound')
    await client.actions.delete('client-tools/echo')
    await client.packages.delete('client-tools')
    await expect(client.packages.get('client-tools')).rejects.toMatchObject({ statusCode: 404 })
  })

  it('fires a trigger whose rule runs an action, and follows the activations', async () => {
    await client.actions.create({ name: 'client-run', action: echo })
    await client.triggers.create({ name: 'client-event', trigger: { parameters: [{ key: 'from', value: 'trigger' }] } })
    expect(
      await client.rules.create({ name: 'client-rule', trigger: 'client-event', action: 'client-run' }),
    ).toMatchObject({ status: 'active', trigger: { name: 'client-event' }, action: { name: 'client-run' } })
    const { activationId } = await client.triggers.invoke({ name: 'client-event', params: { x: 1 } })
    const fired = await eventually<any>(() => client.activations.get(activationId).catch(() => undefined))
    const line = JSON.parse(fired.logs[0]) as { activationId: string; rule: string; success: boolean }
    expect(line).toMatchObject({ success: true, rule: `${hub.mine.namespace}/client-rule` })
    const run = await eventually<any>(() => client.activations.get(line.activationId).catch(() => undefined))
    expect(run.response.result).toMatchObject({ from: 'trigger', x: 1 })

    await client.rules.disable({ name: 'client-rule' })
    expect(await client.rules.get('client-rule')).toMatchObject({ status: 'inactive' })
    expect(await client.triggers.invoke({ name: 'client-event' })).toHaveLength(0)
    await client.rules.enable({ name: 'client-rule' })
    expect(await client.rules.get('client-rule')).toMatchObject({ status: 'active' })
    expect((await client.rules.list()).map((rule: { name: string }) => rule.name)).toContain('client-rule')
    expect((await client.triggers.list()).map((trigger: { name: string }) => trigger.name)).toContain('client-event')
    await client.rules.delete('client-rule')
    await client.triggers.delete('client-event')
    await client.actions.delete('client-run')
  })

  it('sets what a rule filters and its action gets, and what a trigger accepts, as annotations', async () => {
    await client.actions.create({ name: 'client-filtered', action: echo })
    await client.triggers.create({ name: 'client-orders', annotations: { accepts: "type LIKE 'order.%'" } })
    const rule = { trigger: 'client-orders', action: 'client-filtered' }
    const large = { pattern: { data: { total: [{ numeric: ['>', 100] }] } } }
    await client.rules.create({ ...rule, name: 'client-large', annotations: { filter: large, input: 'data' } })
    const transform = { jsonata: '{"twice": data.total * 2}' }
    await client.rules.create({ ...rule, name: 'client-twice', annotations: { transform } })
    const refused = client.rules.create({ ...rule, name: 'client-wrong', annotations: { filter: 'type = ' } })
    await expect(refused).rejects.toMatchObject({
      statusCode: 400,
      error: { error: expect.stringMatching(/'filter' was malformed.*column 8/s) },
    })
    // As wsk writes them: without annotations, which stay as they are.
    await client.rules.update({ ...rule, name: 'client-large' })

    const results = async (params: object): Promise<Record<string, any>> => {
      const { activationId } = await client.triggers.invoke({ name: 'client-orders', params })
      const fired = await eventually<any>(() => client.activations.get(activationId).catch(() => undefined))
      const lines = fired.logs.map((line: string) => JSON.parse(line)).filter((line: { rule?: string }) => line.rule)
      const runs = lines.map(async ({ rule, activationId: id }: { rule: string; activationId: string }) => {
        const run = await eventually<any>(() => client.activations.get(id).catch(() => undefined))
        return [rule.split('/').at(-1), run.response.result]
      })
      return Object.fromEntries(await Promise.all(runs))
    }
    expect(await results({ total: 5 })).toEqual({ 'client-twice': { twice: 10 } })
    expect(await results({ total: 500 })).toMatchObject({
      'client-twice': { twice: 1000 },
      'client-large': { total: 500 },
    })
    for (const name of ['client-large', 'client-twice']) await client.rules.delete(name)
    await client.triggers.delete('client-orders')
    await client.actions.delete('client-filtered')
  })

  it('creates, reads, updates and deletes an alarm, which fires its trigger', async () => {
    const feed = { name: '/whisk.system/alarms/alarm', trigger: 'client-alarm' }
    await client.actions.create({ name: 'client-wake', action: echo })
    await client.triggers.create({
      name: 'client-alarm',
      trigger: { annotations: [{ key: 'feed', value: feed.name }] },
    })
    await client.rules.create({ name: 'client-wakes', trigger: 'client-alarm', action: 'client-wake' })
    const created = await client.feeds.create({
      ...feed,
      params: { cron: '* * * * * *', trigger_payload: { wake: 'up' } },
    })
    expect(created.response).toMatchObject({ success: true })
    const woken = await eventually(async () => {
      const [entry] = await client.activations.list({ name: 'client-wake', limit: 1, docs: true })
      return entry as { response: { result: object } } | undefined
    })
    expect(woken.response.result).toMatchObject({ wake: 'up' })

    await client.feeds.update({ ...feed, params: { cron: '0 0 1 1 *', trigger_payload: { wake: 'late' } } })
    const read = await client.feeds.get(feed)
    expect(read.response.result).toMatchObject({
      config: { cron: '0 0 1 1 *', payload: { wake: 'late' } },
      status: { active: true },
    })
    await client.feeds.delete(feed)
    await expect(client.feeds.get(feed)).rejects.toMatchObject({ statusCode: 502 })
    await client.rules.delete('client-wakes')
    await client.triggers.delete('client-alarm')
    await client.actions.delete('client-wake')
  })
})
