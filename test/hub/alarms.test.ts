import { chmodSync, mkdirSync, readdirSync, readFileSync, statSync } from 'node:fs'
import { createServer } from 'node:net'
import type { AddressInfo } from 'node:net'
import { dirname, join } from 'node:path'
import { expect, it, onTestFinished } from 'vitest'
import { createApi, eventually, type Api } from '../rig/api.ts'
import { removeDirectory, scratchDirectory, startHub, type HubProcess } from '../rig/hub-process.ts'
import { startAlarms } from '../rig/provider-process.ts'

const feedPath = '/api/v1/namespaces/whisk.system/actions/alarms/alarm?blocking=true&result=true'

it('an alarm runs an action, READ tells of it, and DELETE ends it', async () => {
  const { api, feed } = await hubWithAlarm()
  expect(await feed('CREATE', { cron: '* * * * * *', trigger_payload: { a: 1 } })).toEqual({ status: 'success' })
  const runs = await eventually(async () => atLeast(3, await activationsOf(api)))
  expect(runs[0].response.result).toMatchObject({ a: 1 })
  expect(await feed('READ')).toMatchObject({
    config: { name: 'tick', namespace: 'alpha', cron: '* * * * * *' },
    status: { active: true },
    stats: { lastFireStatus: 202 },
  })
  expect(await feed('READ')).not.toHaveProperty('stats.warnings')
  expect(await feed('CREATE', { cron: 'nonsense' })).toEqual({
    error: { error: "cron pattern 'nonsense' is not valid" },
  })
  expect(await feed('DELETE')).toEqual({ status: 'success' })
})

it('[feed:P26] an alarm goes on at a trigger that is written anew without its annotation, and READ warns of it', async () => {
  const { api, feed } = await hubWithAlarm()
  expect(await feed('CREATE', { cron: '* * * * * *' })).toEqual({ status: 'success' })
  expect((await api.call('PUT', 'triggers/tick?overwrite=true', { body: { annotations: [] } })).status).toBe(200)
  const { length } = await activationsOf(api)
  await eventually(async () => atLeast(length + 2, await activationsOf(api)))
  expect(await feed('READ')).toMatchObject({
    status: { active: true },
    stats: { warnings: [expect.stringContaining("no annotation 'feed' that names this feed")] },
  })
})

it('the token of the feed actions cannot be read, nor opened by an action of somebody else', async () => {
  const { api } = await hubWithAlarm()
  const { body } = await api.call('GET', '/api/v1/namespaces/whisk.system/packages/alarms')
  const token = body.parameters.find(({ key }: { key: string }) => key === 'sluiceToken')
  expect(token.encryption).toMatch(/^sluice-1/)
  // Whoever copies the sealed token into an action of his own gets it as it is.
  await api.call('PUT', 'actions/thief', {
    body: { exec: { kind: 'nodejs:20', code: 'function main(args) { return args }' }, parameters: [token] },
  })
  const { body: stolen } = await api.call('POST', 'actions/thief?blocking=true&result=true', { body: {} })
  expect(stolen.sluiceToken).toBe(token.value)
})

it('[sec:S14] [sec:S20] the key that a trigger is fired with lies nowhere in clear, and the database is for its owner', async () => {
  const dataDir = join(scratchDirectory(), 'data')
  mkdirSync(dataDir)
  chmodSync(dataDir, 0o755)
  const hub = await started({ dataDir })
  const { api, feed } = await withAlarm(hub)
  expect(await feed('CREATE', { cron: '* * * * * *' })).toEqual({ status: 'success' })
  // The provider has the key itself: it fires with it.
  await eventually(async () => atLeast(1, await activationsOf(api)))
  expect(await feed('DELETE')).toEqual({ status: 'success' })
  const folder = join(hub.dataDir, 'db')
  expect(statSync(folder).mode & 0o777).toBe(0o700)
  const secret = hub.keys.alpha.split(':')[1] ?? ''
  const files = readdirSync(folder)
  expect(files.length).toBeGreaterThan(2)
  expect(files.filter(file => readFileSync(join(folder, file)).includes(secret))).toEqual([])
}, 30_000)

it('a provider of its own goes on where the last one was killed', async () => {
  const port = await freePort()
  const hub = await started({ config: `providers: { alarms: { enabled: false, url: 'http://127.0.0.1:${port}' } }` })
  const first = await startAlarms({ hubUrl: hub.url, dataDir: hub.dataDir, port })
  onTestFinished(() => first.kill())
  const { api, feed } = await withAlarm(hub)
  expect(await feed('CREATE', { cron: '* * * * * *', catchUp: 'all' })).toEqual({ status: 'success' })
  await eventually(async () => atLeast(2, await activationsOf(api)))
  await first.kill()
  await new Promise(done => setTimeout(done, 2500))
  const second = await startAlarms({ hubUrl: hub.url, dataDir: hub.dataDir, port })
  onTestFinished(() => second.kill())
  await eventually(async () => atLeast(8, await activationsOf(api)))
  expect(await feed('PAUSE')).toEqual({ status: 'success' })
  const { body: fires } = await api.call('GET', 'activations?name=tick&limit=200&docs=true')
  const instants = fires.map((fire: any) => Math.floor(fire.start / 1000)).sort()
  expect(fires.length).toBeGreaterThanOrEqual(8)
  // One activation for each second between the first and the last: none lost, none under two ids.
  const { stats } = (await feed('READ')) as { stats: { checkpoint: number } }
  expect(fires.length).toBe(stats.checkpoint / 1000 - firstInstant(fires) + 1)
  expect(instants.length).toBe(fires.length)
  expect(await second.stop()).toBe(0)
})

/** The first fire is never late by a second. */
function firstInstant(fires: { start: number }[]): number {
  return Math.min(...fires.map(({ start }) => Math.floor(start / 1000)))
}

async function hubWithAlarm() {
  return withAlarm(await started())
}

async function started(options: Parameters<typeof startHub>[0] = {}): Promise<HubProcess> {
  const hub = await startHub(options)
  onTestFinished(async () => {
    await hub.kill()
    removeDirectory(dirname(hub.dataDir))
  })
  return hub
}

async function withAlarm(hub: HubProcess) {
  const authKey = hub.keys.alpha
  const api = createApi(hub.url, authKey)
  onTestFinished(() => api.close())
  await api.call('PUT', 'actions/echo', {
    body: { exec: { kind: 'nodejs:20', code: 'function main(args) { return args }' } },
  })
  await api.call('PUT', 'triggers/tick', {
    body: { annotations: [{ key: 'feed', value: '/whisk.system/alarms/alarm' }] },
  })
  await api.call('PUT', 'rules/r', { body: { trigger: '/_/tick', action: '/_/echo' } })
  return {
    api,
    async feed(lifecycleEvent: string, parameters: object = {}): Promise<unknown> {
      const body = { lifecycleEvent, triggerName: '/_/tick', authKey, ...parameters }
      return (await api.call('POST', feedPath, { body })).body
    },
  }
}

async function activationsOf(api: Api): Promise<any[]> {
  const { body } = await api.call('GET', 'activations?name=echo&limit=200&docs=true')
  return body as any[]
}

function atLeast<T>(count: number, list: T[]): T[] | undefined {
  return list.length >= count ? list : undefined
}

async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1')
  await new Promise(done => server.once('listening', done))
  const { port } = server.address() as AddressInfo
  await new Promise(done => server.close(done))
  return port
}
