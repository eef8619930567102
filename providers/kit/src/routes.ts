import { createHash, timingSafeEqual } from 'node:crypto'
import type { FastifyPluginAsync, FastifyReply, FastifyRequest } from 'fastify'
import { bounds } from '@sluice/core/model'
import type { Clock } from '@sluice/core/spi'
import type { Parameters } from './feed.ts'
import type { LifecycleAnswer } from './lifecycle.ts'
import type { ProviderMetrics } from './metrics.ts'
import { signatureHeaders, verify } from './signature.ts'

export type RouteParts = {
  token: string
  clock: Clock
  metrics: ProviderMetrics
  handleLifecycle(parameters: Parameters): Promise<LifecycleAnswer>
  /** What is missing before the provider can do its job, or nothing. */
  unready(): string | undefined
  /** Masked, a page of them. */
  listSubscriptions(after: string | undefined): Promise<unknown[]>
  /** Calls a minute for each namespace; `Infinity` where the hub has no limits either. */
  lifecyclePerMinute?: number
}

/**
 * The provider's own doors (feeds.md §1.6, §2.0): `POST /v1/lifecycle` for feed actions, signed; `/v1/subscriptions` for
 * the operator, by the token; `/ping`, `/livez`, `/readyz`, `/metrics`. Apart for hubs whose operators have a listener of
 * their own, which `operator` is for; `all` is both.
 */
export function providerRoutes(parts: RouteParts): Record<'all' | 'feeds' | 'operator', FastifyPluginAsync> {
  const { token, clock, metrics } = parts
  const rate = new MinuteRate(clock, parts.lifecyclePerMinute ?? bounds.feeds.lifecyclePerMinute)
  let inFlight = 0

  async function lifecycle(request: FastifyRequest, reply: FastifyReply): Promise<FastifyReply> {
    const body = request.body as Buffer
    const timestamp = request.headers[signatureHeaders.timestamp]
    const signature = request.headers[signatureHeaders.signature]
    if (!verify(token, { timestamp, signature }, body, clock.nowMs())) {
      metrics.authFailure('signature')
      return reply.code(401).send({ error: 'the signature is missing, wrong or too old' })
    }
    const parameters = parseParameters(body)
    if (!parameters) return reply.code(400).send({ error: 'the body must be a JSON object' })
    const { __OW_NAMESPACE: namespace } = parameters
    if (!rate.allows(typeof namespace === 'string' ? namespace : '')) {
      metrics.authFailure('rate')
      return reply.code(429).header('retry-after', '60').send({ error: 'too many lifecycle calls in this minute' })
    }
    if (inFlight >= bounds.feeds.lifecycleInFlightMax) return reply.code(503).send({ error: 'too many calls at once' })
    inFlight++
    try {
      const answer = await parts.handleLifecycle(parameters)
      return await reply.code(answer.status).send(answer.body)
    } finally {
      inFlight--
    }
  }

  const feeds: FastifyPluginAsync = async app => {
    // The signature covers the bytes as they came.
    app.removeAllContentTypeParsers()
    app.addContentTypeParser(
      '*',
      { parseAs: 'buffer', bodyLimit: bounds.feeds.lifecycleBodyBytesMax },
      (_request, body, done) => done(null, body),
    )
    app.post('/v1/lifecycle', { bodyLimit: bounds.feeds.lifecycleBodyBytesMax }, lifecycle)
    app.get('/ping', async () => ({ msg: 'pong' }))
  }

  const operator: FastifyPluginAsync = async app => {
    app.get('/v1/subscriptions', async (request, reply) => {
      if (!sameSecret(request.headers.authorization, `Bearer ${token}`)) {
        metrics.authFailure('signature')
        return reply.code(401).send({ error: 'the token is missing or wrong' })
      }
      // The server that this is mounted in may parse no queries.
      const { searchParams } = new URL(request.raw.url ?? '/', 'http://localhost')
      return { subscriptions: await parts.listSubscriptions(searchParams.get('after') ?? undefined) }
    })
    app.get('/livez', async () => ({ status: 'ok' }))
    app.get('/readyz', async (_request, reply) => {
      const reason = parts.unready()
      return reason === undefined ? { status: 'ready' } : reply.code(503).send({ status: 'not ready', reason })
    })
    app.get('/metrics', async (_request, reply) =>
      reply.type(metrics.registry.contentType).send(await metrics.registry.metrics()),
    )
  }

  const all: FastifyPluginAsync = async app => {
    await app.register(feeds)
    await app.register(operator)
  }
  return { all, feeds, operator }
}

function parseParameters(body: unknown): Parameters | undefined {
  try {
    const value: unknown = JSON.parse(String(body))
    return value !== null && typeof value === 'object' && !Array.isArray(value) ? (value as Parameters) : undefined
  } catch {
    return undefined
  }
}

/** Compares digests, so that neither content nor length shows in the time. */
function sameSecret(given: string | undefined, expected: string): boolean {
  const digest = (text: string) => createHash('sha256').update(text).digest()
  return timingSafeEqual(digest(given ?? ''), digest(expected))
}

/** Calls in the present minute, by namespace (feeds.md K4). */
class MinuteRate {
  readonly #clock: Clock
  readonly #max: number
  #minute = -1
  #counts = new Map<string, number>()

  constructor(clock: Clock, max: number) {
    this.#clock = clock
    this.#max = max
  }

  allows(namespace: string): boolean {
    const minute = Math.floor(this.#clock.monotonicMs() / 60_000)
    if (minute !== this.#minute) {
      this.#minute = minute
      this.#counts = new Map()
    }
    const count = (this.#counts.get(namespace) ?? 0) + 1
    this.#counts.set(namespace, count)
    return count <= this.#max
  }
}
