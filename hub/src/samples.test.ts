import { createServer } from 'node:http'
import { mkdtempSync, rmSync } from 'node:fs'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, it, onTestFinished } from 'vitest'
import { installSamplesOnce } from './samples.ts'

it('installs two flows at the first start, and nothing later', async () => {
  const hub = await recorder(200)
  const options = { wanted: true, dataDir: scratch(), apiHost: hub.origin, guestKey: 'uuid:key' }
  expect(await installSamplesOnce(options)).toEqual({ present: true })
  expect(hub.requests.map(({ line }) => line)).toEqual([
    'PUT /api/v1/namespaces/_/actions/hello-clock?overwrite=true',
    'PUT /api/v1/namespaces/_/actions/greet?overwrite=true',
    'PUT /api/v1/namespaces/_/triggers/webhook?overwrite=true',
    'PUT /api/v1/namespaces/_/triggers/every-10-seconds?overwrite=true',
    'PUT /api/v1/namespaces/_/rules/greet-caller?overwrite=true',
    'PUT /api/v1/namespaces/_/rules/tell-the-time?overwrite=true',
    'POST /api/v1/namespaces/whisk.system/actions/alarms/alarm?blocking=true',
  ])
  expect(hub.requests[0]?.body).toMatchObject({
    exec: { kind: 'nodejs:default', code: expect.stringContaining('function main') },
  })
  expect(hub.requests[6]?.body).toMatchObject({ lifecycleEvent: 'CREATE', cron: '*/10 * * * * *', authKey: 'uuid:key' })
  expect(await installSamplesOnce(options)).toEqual({ present: true })
  expect(hub.requests).toHaveLength(7)
})

it('keeps them away for good when the first start did not want them', async () => {
  const hub = await recorder(200)
  const options = { dataDir: scratch(), apiHost: hub.origin, guestKey: 'uuid:key' }
  expect(await installSamplesOnce({ ...options, wanted: false })).toEqual({ present: false })
  await installSamplesOnce({ ...options, wanted: true })
  expect(hub.requests).toHaveLength(0)
})

it('tells why it failed, and tries again at the next start', async () => {
  const hub = await recorder(500, { error: 'no room' })
  const options = { wanted: true, dataDir: scratch(), apiHost: hub.origin, guestKey: 'uuid:key' }
  expect(await installSamplesOnce(options)).toEqual({ present: false, failure: 'sample hello-clock: no room' })
  await installSamplesOnce(options)
  expect(hub.requests).toHaveLength(2)
})

it.each([
  [{ response: { result: { error: 'the cron is wrong' } } }],
  [{ response: { result: { error: { error: 'the cron is wrong', code: 'SLUICE_FEED' } } } }],
  [{ error: { error: 'the cron is wrong' } }],
])("tells a feed's own reason, however deep it lies: %j", async answer => {
  const hub = await recorder(502, answer)
  const options = { wanted: true, dataDir: scratch(), apiHost: hub.origin, guestKey: 'uuid:key' }
  expect((await installSamplesOnce(options)).failure).toBe('sample hello-clock: the cron is wrong')
})

async function recorder(status: number, answer: object = {}) {
  const requests: { line: string; body: unknown }[] = []
  const server = createServer((request, response) => {
    let text = ''
    request.setEncoding('utf8').on('data', chunk => (text += chunk))
    request.on('end', () => {
      requests.push({ line: `${request.method} ${request.url}`, body: JSON.parse(text) })
      response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(answer))
    })
  })
  await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve))
  onTestFinished(() => {
    server.closeAllConnections()
    server.close()
  })
  return { origin: `http://127.0.0.1:${(server.address() as AddressInfo).port}`, requests }
}

function scratch(): string {
  const folder = mkdtempSync(join(tmpdir(), 'sluice-samples-'))
  onTestFinished(() => rmSync(folder, { recursive: true }))
  return folder
}
