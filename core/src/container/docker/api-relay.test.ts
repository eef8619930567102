import { createServer, request } from 'node:http'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, it, onTestFinished } from 'vitest'
import type { Logger } from '../../spi/index.ts'
import { createApiRelay, isPublic } from './api-relay.ts'

const quiet = (): void => undefined
const log: Logger = { error: quiet, warn: quiet, info: quiet, debug: quiet, child: () => log }

it('leads to the public API and the lifecycle of feeds only', () => {
  const open = [
    '/',
    '/ping',
    '/api/v1',
    '/api/v1/',
    '/api/v1/namespaces/_/actions/a%20b?x=/../',
    '/providers/alarms/v1/lifecycle',
  ]
  for (const path of open) expect([path, isPublic(path)]).toEqual([path, true])
  const closed = [
    '',
    'http://elsewhere/api/v1',
    '/metrics',
    '/readyz',
    '/livez',
    '/internal/v1/state/alarms',
    '/api/v12',
    '/api/v1/../../metrics',
    '/api/v1/%2e%2e/%2E%2e/metrics',
    '/api/v1/..%2f..%2fmetrics',
    '/api/v1/.\\../metrics',
    '/api/v1/%zz',
    '/api/v1/%00',
    '/providers/alarms/v1/health',
    '/providers/../v1/lifecycle',
    '//metrics',
  ]
  for (const path of closed) expect([path, isPublic(path)]).toEqual([path, false])
})

it('passes requests on with their headers and bodies, and says when nobody is there', async () => {
  const hub = createServer((asked, response) => {
    let body = ''
    asked.on('data', chunk => (body += chunk))
    asked.on('end', () => {
      response
        .writeHead(201, { 'x-seen': String(asked.headers['authorization']) })
        .end(`${asked.method} ${asked.url} ${body}`)
    })
  })
  await new Promise<void>(resolve => hub.listen(0, '127.0.0.1', resolve))
  const { port } = hub.address() as { port: number }
  const directory = await mkdtemp(join(tmpdir(), 'sluice-test-'))
  const relay = createApiRelay(() => `http://127.0.0.1:${port}`, log, { away: `http://127.0.0.1:${port}/base/` })
  onTestFinished(async () => {
    await relay.close()
    await rm(directory, { recursive: true })
  })
  const socketPath = join(directory, 'api')
  await relay.listenAt(socketPath)
  const ask = (path: string) =>
    new Promise<object>((resolve, reject) => {
      const headers = { authorization: 'Basic x', host: 'elsewhere' }
      const sent = request({ socketPath, path, method: 'POST', headers }, answer => {
        let text = ''
        answer.on('data', chunk => (text += chunk))
        answer.on('end', () => resolve({ status: answer.statusCode, text, seen: answer.headers['x-seen'] }))
      })
      sent.on('error', reject)
      sent.end('body')
    })
  expect(await ask('/api/v1/x?y=1')).toEqual({ status: 201, text: 'POST /api/v1/x?y=1 body', seen: 'Basic x' })
  expect(await ask('/metrics')).toMatchObject({ status: 403 })
  expect(await ask('/providers/away/v1/lifecycle')).toMatchObject({ text: 'POST /base/v1/lifecycle body' })
  expect(await ask('/providers/here/v1/lifecycle')).toMatchObject({ text: 'POST /providers/here/v1/lifecycle body' })
  await new Promise(resolve => {
    hub.close(resolve)
    hub.closeAllConnections()
  })
  expect(await ask('/api/v1/x')).toMatchObject({ status: 502 })
})
