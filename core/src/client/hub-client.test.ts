import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { createServer as createTcpServer } from 'node:net'
import { expect, it, onTestFinished } from 'vitest'
import { systemClock } from '../spi/index.ts'
import { createHubClient, failureOf, originOf } from './index.ts'

const ref = { namespace: 'guest', name: 'my trigger@x' }
const auth = 'uuid:key'

it('[feed:P28] takes an apihost as URL, host with port, or host', () => {
  expect(originOf('https://h:8443/')).toBe('https://h:8443')
  expect(originOf('h:8443')).toBe('https://h:8443')
  expect(originOf('http://h:3233')).toBe('http://h:3233')
  expect(originOf('h')).toBe('https://h')
  expect(() => originOf('ftp://h')).toThrow(/is not a host/)
})

it('encodes names, signs in and sends the event headers with the body', async () => {
  const seen: { url?: string; headers: IncomingMessage['headers']; body: string }[] = []
  const client = await clientOf((request, response) => {
    let body = ''
    request.on('data', chunk => (body += chunk))
    request.on('end', () => {
      seen.push({ url: request.url, headers: request.headers, body })
      response.writeHead(202, { 'content-type': 'application/json' }).end('{"activationId":"a"}')
    })
  })
  const answer = await client.fireTrigger(ref, { auth, headers: { 'ce-id': '1' }, body: '{"a":1}' })
  expect(answer).toMatchObject({ status: 202, body: { activationId: 'a' } })
  expect(seen[0]?.url).toBe('/api/v1/namespaces/guest/triggers/my%20trigger%40x')
  expect(seen[0]?.headers).toMatchObject({
    authorization: 'Basic dXVpZDprZXk=',
    'ce-id': '1',
    'content-type': 'application/json',
  })
  expect(seen[0]?.body).toBe('{"a":1}')
})

it('gives back a redirect instead of following it', async () => {
  const client = await clientOf((_request, response) => response.writeHead(301, { location: '/elsewhere' }).end())
  expect((await client.getTrigger(ref, { auth })).status).toBe(301)
})

it('tells a dead endpoint, a slow answer and something that is not HTTP apart', async () => {
  const dead = createHubClient({ apihost: 'http://127.0.0.1:1', clock: systemClock })
  onTestFinished(() => dead.close())
  const failure = await dead.getTrigger(ref, { auth }).catch((error: unknown) => error)
  expect(failure).toMatchObject({ code: 'SLUICE_REQUEST' })
  expect(failureOf(failure)).toBe('connection')

  const slow = await clientOf(() => undefined)
  expect(failureOf(await slow.getTrigger(ref, { auth, totalMs: 20 }).catch((error: unknown) => error))).toBe('timeout')

  const gibberish = createTcpServer(socket => socket.once('data', () => socket.end('this is no HTTP\r\n\r\n'))).listen(
    0,
    '127.0.0.1',
  )
  onTestFinished(() => void gibberish.close())
  await new Promise(resolve => gibberish.once('listening', resolve))
  const client = createHubClient({
    apihost: `http://127.0.0.1:${(gibberish.address() as AddressInfo).port}`,
    clock: systemClock,
  })
  onTestFinished(() => client.close())
  expect(failureOf(await client.getTrigger(ref, { auth }).catch((error: unknown) => error))).toBe('malformed')
})

it('keeps keys and queries out of its errors', async () => {
  const client = createHubClient({ apihost: 'http://127.0.0.1:1', clock: systemClock })
  onTestFinished(() => client.close())
  const failure = await client
    .activations('guest', { auth: 'uuid:secret', query: { name: 'private' } })
    .catch((error: unknown) => error as Error)
  expect(String((failure as Error).message)).not.toMatch(/secret|private/)
})

async function clientOf(handle: (request: IncomingMessage, response: ServerResponse) => void) {
  const server = createServer(handle).listen(0, '127.0.0.1')
  await new Promise(resolve => server.once('listening', resolve))
  const client = createHubClient({
    apihost: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    clock: systemClock,
  })
  onTestFinished(async () => {
    await client.close()
    server.closeAllConnections()
    server.close()
  })
  return client
}
