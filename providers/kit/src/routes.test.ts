import { manualClock } from '@sluice/core/contract'
import fastify from 'fastify'
import { expect, it, onTestFinished } from 'vitest'
import { createProviderMetrics } from './metrics.ts'
import { providerRoutes, type RouteParts } from './routes.ts'
import { sign, signatureHeaders } from './signature.ts'

it('lets in a lifecycle call that is signed with the token, and answers what the provider answers', async () => {
  const { send, seen } = await serving()
  const answer = await send({ triggerName: 'T' })
  expect(answer.statusCode).toBe(409)
  expect(answer.json()).toEqual({ error: 'superseded' })
  expect(seen).toEqual([{ triggerName: 'T' }])
})

it('refuses another token, another body, an old, a missing and a broken signature', async () => {
  const { send, seen } = await serving()
  const refused = [
    await send({}, { token: 'other' }),
    await send({}, { sent: '{"a":1}' }),
    await send({}, { ageMs: 301_000 }),
    await send({}, { ageMs: -301_000 }),
    await send({}, { headers: {} }),
    await send({}, { headers: { [signatureHeaders.timestamp]: 'now', [signatureHeaders.signature]: 'x' } }),
  ]
  expect(refused.map(({ statusCode }) => statusCode)).toEqual([401, 401, 401, 401, 401, 401])
  expect(seen).toEqual([])
  expect((await send({}, { ageMs: 299_000 })).statusCode).toBe(409)
})

it('refuses a body that is no object', async () => {
  const { send } = await serving()
  for (const sent of ['[]', 'null', '7', '{', '']) expect((await send({}, { sent, signed: sent })).statusCode).toBe(400)
})

it('takes so many calls a minute of a namespace, and others of other namespaces', async () => {
  const { send, clock } = await serving({ lifecyclePerMinute: 3 })
  const statuses = async (namespace: string, count: number) => {
    const found: number[] = []
    for (let i = 0; i < count; i++) found.push((await send({ __OW_NAMESPACE: namespace })).statusCode)
    return found
  }
  expect(await statuses('a', 4)).toEqual([409, 409, 409, 429])
  expect(await statuses('b', 1)).toEqual([409])
  await clock.advance(60_000)
  expect(await statuses('a', 1)).toEqual([409])
})

it('lists subscriptions for whoever has the token only', async () => {
  const { app } = await serving()
  const get = (authorization?: string, url = '/v1/subscriptions') =>
    app.inject({ method: 'GET', url, headers: authorization === undefined ? {} : { authorization } })
  expect((await get()).statusCode).toBe(401)
  expect((await get('Bearer wrong')).statusCode).toBe(401)
  const listed = await get('Bearer token', '/v1/subscriptions?after=ns%3AT')
  expect(listed.json()).toEqual({ subscriptions: ['after ns:T'] })
})

it('tells whether it is alive, whether it is ready, and its counts', async () => {
  const { app, unready } = await serving()
  const get = async (url: string) => app.inject({ method: 'GET', url })
  expect((await get('/ping')).json()).toEqual({ msg: 'pong' })
  expect((await get('/livez')).statusCode).toBe(200)
  expect((await get('/readyz')).statusCode).toBe(200)
  unready.reason = 'the hub does not answer'
  const answer = await get('/readyz')
  expect(answer.statusCode).toBe(503)
  expect(answer.json()).toEqual({ status: 'not ready', reason: 'the hub does not answer' })
  expect((await get('/livez')).statusCode).toBe(200)
  expect((await get('/metrics')).body).toContain('sluice_events_fired_total')
})

it('[sec:S13] keeps its doors apart where a hub does', async () => {
  const paths = ['/ping', '/livez', '/readyz', '/metrics', '/v1/subscriptions']
  const statusesAt = async (door: 'feeds' | 'operator') => {
    const { app } = await serving({}, door)
    const found: number[] = []
    for (const url of paths) found.push((await app.inject({ method: 'GET', url })).statusCode)
    found.push((await app.inject({ method: 'POST', url: '/v1/lifecycle', payload: '{}' })).statusCode)
    return found
  }
  expect(await statusesAt('feeds')).toEqual([200, 404, 404, 404, 404, 401])
  expect(await statusesAt('operator')).toEqual([404, 200, 200, 200, 401, 404])
})

async function serving(more: Partial<RouteParts> = {}, door: 'all' | 'feeds' | 'operator' = 'all') {
  const clock = manualClock()
  const seen: object[] = []
  const unready: { reason?: string } = {}
  const app = fastify()
  await app.register(
    providerRoutes({
      token: 'token',
      clock,
      metrics: createProviderMetrics('p'),
      handleLifecycle: async parameters => {
        seen.push(parameters)
        return { status: 409, body: { error: 'superseded' } }
      },
      unready: () => unready.reason,
      listSubscriptions: async after => [`after ${after}`],
      ...more,
    })[door],
  )
  onTestFinished(() => app.close())
  type How = { token?: string; sent?: string; signed?: string; ageMs?: number; headers?: Record<string, string> }
  return {
    app,
    clock,
    seen,
    unready,
    send(parameters: object, how: How = {}) {
      const body = how.signed ?? JSON.stringify(parameters)
      const timestamp = String(Math.floor((clock.nowMs() - (how.ageMs ?? 0)) / 1000))
      const headers = how.headers ?? {
        [signatureHeaders.timestamp]: timestamp,
        [signatureHeaders.signature]: sign(how.token ?? 'token', timestamp, body),
      }
      const payload = how.sent ?? body
      return app.inject({
        method: 'POST',
        url: '/v1/lifecycle',
        headers: { 'content-type': 'application/json', ...headers },
        payload,
      })
    },
  }
}
