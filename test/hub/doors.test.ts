import { createServer } from 'node:net'
import type { AddressInfo } from 'node:net'
import { dirname } from 'node:path'
import { expect, it, onTestFinished } from 'vitest'
import { createApi } from '../rig/api.ts'
import { removeDirectory, startHub } from '../rig/hub-process.ts'
import { startAlarms } from '../rig/provider-process.ts'

/** Every route at both listeners of a hub whose operators have one of their own (reliability.md S13). */
const operatorPaths = ['/livez', '/readyz', '/metrics', '/providers/alarms/metrics', '/providers/alarms/readyz']
const publicPaths = ['/', '/ping', '/api/v1', '/providers/alarms/ping']

it('[sec:S13] what is for operators answers at their door alone, what is public not there', async () => {
  const { hub, operatorUrl } = await hubWithTwoDoors()
  for (const path of operatorPaths) {
    expect([path, await statusOf(hub.url + path), await statusOf(operatorUrl + path)]).toEqual([path, 405, 200])
  }
  for (const path of publicPaths) {
    expect([path, await statusOf(hub.url + path), await statusOf(operatorUrl + path)]).toEqual([path, 200, 405])
  }
})

it('[sec:S13] a provider of its own keeps its state through the door for operators', async () => {
  const port = await freePort()
  const { hub, operatorUrl } = await hubWithTwoDoors(
    `providers: { alarms: { enabled: false, url: 'http://127.0.0.1:${port}' } }`,
  )
  const state = '/internal/v1/state/alarms/get'
  expect(await statusOf(hub.url + state, 'POST')).toBe(405)
  expect(await statusOf(operatorUrl + state, 'POST')).toBe(401)
  const provider = await startAlarms({ hubUrl: hub.url, stateUrl: operatorUrl, dataDir: hub.dataDir, port })
  onTestFinished(() => provider.kill())
  const api = createApi(hub.url, hub.keys.alpha)
  onTestFinished(() => api.close())
  await api.call('PUT', 'triggers/tick', { body: {} })
  const { body } = await api.call(
    'POST',
    '/api/v1/namespaces/whisk.system/actions/alarms/alarm?blocking=true&result=true',
    { body: { lifecycleEvent: 'CREATE', triggerName: '/_/tick', authKey: hub.keys.alpha, cron: '* * * * * *' } },
  )
  expect(body).toEqual({ status: 'success' })
  expect(await provider.stop()).toBe(0)
})

async function hubWithTwoDoors(config = '') {
  const hub = await startHub({ config: `admin: { port: 0 }\n${config}` })
  onTestFinished(async () => {
    await hub.kill()
    removeDirectory(dirname(hub.dataDir))
  })
  const operatorUrl = /operators\s+(\S+)/.exec(hub.output())?.[1] ?? ''
  return { hub, operatorUrl }
}

async function statusOf(url: string, method = 'GET'): Promise<number> {
  const answer = await fetch(url, { method, ...(method === 'POST' && { body: '{}', headers: json }) })
  await answer.arrayBuffer()
  return answer.status
}

const json = { 'content-type': 'application/json' }

async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1')
  await new Promise(done => server.once('listening', done))
  const { port } = server.address() as AddressInfo
  await new Promise(done => server.close(done))
  return port
}
