import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { compileFunction } from 'node:vm'
import { expect, it, onTestFinished } from 'vitest'
import { feedActionSource, verify } from './index.ts'

it('signs its parameters, says whose namespace it runs in, and hands on the answer', async () => {
  const provider = await answering(200, '{"status":"success"}')
  const run = action('nested', { __OW_NAMESPACE: 'guest' })
  const result = await run({ ...provider.bound, lifecycleEvent: 'CREATE', __OW_NAMESPACE: 'forged' })
  expect(result).toEqual({ status: 'success' })
  const { path, body, headers } = provider.seen[0]!
  expect(path).toBe('/providers/alarms/v1/lifecycle')
  expect(JSON.parse(body)).toEqual({ lifecycleEvent: 'CREATE', __OW_NAMESPACE: 'guest' })
  const { 'sluice-timestamp': timestamp, 'sluice-signature': signature } = headers
  expect(verify('token', { timestamp, signature }, body, Date.now())).toBe(true)
  expect(verify('token', { timestamp, signature }, `${body} `, Date.now())).toBe(false)
})

it('finds the provider at the API host when the package names no endpoint', async () => {
  const provider = await answering(200, '{"status":"success"}')
  const run = action('nested', { __OW_API_HOST: provider.origin, __OW_NAMESPACE: 'guest' })
  expect(await run({ sluiceToken: 'token' })).toEqual({ status: 'success' })
  expect(provider.seen[0]?.path).toBe('/providers/alarms/v1/lifecycle')
})

it('fails in the shape of its package when the provider refuses, is broken, or cannot be reached', async () => {
  const refusing = await answering(400, '{"error":{"error":"no"}}')
  expect(await action('nested')({ ...refusing.bound })).toEqual({ error: { error: 'no' } })
  const broken = await answering(502, 'bad gateway')
  const text = 'the alarms provider answered with status 502'
  expect(await action('nested')({ ...broken.bound })).toEqual({ error: { error: text } })
  expect(await action('flat')({ ...broken.bound })).toEqual({ error: text })
  const nowhere = { sluiceEndpoint: 'http://127.0.0.1:1', sluiceToken: 't' }
  expect(await action('flat')(nowhere)).toEqual({ error: 'the alarms provider cannot be reached' })
})

function action(errorShape: 'nested' | 'flat', env: Record<string, string> = {}) {
  const source = feedActionSource({ provider: 'alarms', errorShape })
  const exports: { main?: (parameters: object) => Promise<unknown> } = {}
  const load = (name: string) => process.getBuiltinModule(name)
  // As a runtime does: the source of one CommonJS file.
  compileFunction(source, ['exports', 'require', 'process'])(exports, load, { env })
  return exports.main!
}

async function answering(status: number, body: string) {
  const seen: { path?: string; body: string; headers: Record<string, unknown> }[] = []
  const server = createServer((request, response) => {
    let text = ''
    request.on('data', chunk => (text += chunk))
    request.on('end', () => {
      seen.push({ path: request.url, body: text, headers: request.headers })
      response.writeHead(status).end(body)
    })
  }).listen(0, '127.0.0.1')
  await new Promise(resolve => server.once('listening', resolve))
  onTestFinished(() => void server.close())
  const origin = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
  return { origin, seen, bound: { sluiceEndpoint: `${origin}/providers/alarms`, sluiceToken: 'token' } }
}
