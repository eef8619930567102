import { createHash, timingSafeEqual } from 'node:crypto'
import type { FastifyPluginAsync, FastifyRequest } from 'fastify'
import { bounds, parseJson, SluiceError, stringifyJson } from '../../model/index.ts'
import type { Clock, Random, StateStore } from '../../spi/index.ts'
import { Fences } from '../fences.ts'
import { StateChanges } from '../state-changes.ts'

export type StateRouteOptions = {
  state: StateStore
  clock: Clock
  random: Random
  /** The key of each provider that may come in. */
  providerKeys: ReadonlyMap<string, string>
}

type Body = Readonly<Record<string, unknown>>

/**
 * StateStore for providers outside the hub's process (design.md §5): `POST /internal/v1/state/{provider}/{operation}`
 * with the provider's key. Every key and prefix lies below `{provider}/`. A write with the headers
 * `sluice-fencing-shard` and `sluice-fencing-token` is refused when the shard has a newer owner.
 */
export const stateRoutes: FastifyPluginAsync<StateRouteOptions> = async (app, options) => {
  const { state, clock, random, providerKeys } = options
  const fences = new Fences(state)
  const changes = new Map<string, StateChanges>()
  const boot = random.hexId()

  app.removeAllContentTypeParsers()
  app.addContentTypeParser(
    'application/json',
    { parseAs: 'string', bodyLimit: bounds.remoteState.bodyBytesMax },
    (_request, text, done) => {
      try {
        done(null, parseJson(text as string))
      } catch {
        done(new Refusal(400, 'the body is no JSON'))
      }
    },
  )
  app.setErrorHandler((error, _request, reply) => {
    if (error instanceof SluiceError) return reply.code(error.status).send({ code: error.code, message: error.message })
    const status = error instanceof Refusal ? error.status : ((error as { statusCode?: number }).statusCode ?? 500)
    return reply.code(status).send({ code: 'SLUICE_REQUEST', message: status < 500 ? (error as Error).message : '' })
  })
  app.addHook('onRequest', async request => {
    const { provider } = request.params as { provider: string }
    if (!allowed(providerKeys.get(provider), request.headers.authorization))
      throw new Refusal(401, 'no valid provider key')
  })
  app.addHook('onClose', async () => {
    for (const list of changes.values()) list.close()
  })
  const limit = { bodyLimit: bounds.remoteState.bodyBytesMax }

  function changesOf(provider: string): StateChanges {
    let list = changes.get(provider)
    if (!list) {
      list = new StateChanges({ state, prefix: `${provider}/`, clock, boot })
      changes.set(provider, list)
    }
    return list
  }

  function route(
    operation: string,
    run: (call: { provider: string; body: Body; request: FastifyRequest }) => Promise<object>,
  ) {
    app.post(`/internal/v1/state/:provider/${operation}`, limit, async (request, reply) => {
      const { provider } = request.params as { provider: string }
      const body = request.body
      if (body === null || typeof body !== 'object') throw new Refusal(400, 'the body is no object')
      const answer = await run({ provider, body: body as Body, request })
      return reply.type('application/json').send(stringifyJson(answer))
    })
  }

  function write(operation: string, run: (provider: string, body: Body) => Promise<object>) {
    route(operation, ({ provider, body, request }) => {
      const fence = fenceOf(request)
      return fence ? fences.run(provider, fence, () => run(provider, body)) : run(provider, body)
    })
  }

  route('get', async ({ provider, body }) => ({ entry: (await state.get(below(provider, body.key))) ?? null }))
  route('scan', async ({ provider, body }) => {
    const { after, limit: most, reverse } = body
    const entries = await state.scan({
      prefix: below(provider, body.prefix),
      after: after === undefined ? undefined : text(after),
      limit: Math.min(whole(most), bounds.store.scanMax),
      reverse: reverse === true,
    })
    return { entries }
  })
  route('watch', async ({ provider, body }) => {
    const cursor = body.cursor === undefined ? undefined : text(body.cursor)
    return changesOf(provider).after(cursor, below(provider, body.prefix))
  })
  write('put', async (provider, body) => ({
    revision: await state.put(below(provider, body.key), body.value, optionalText(body.revision)),
  }))
  write('put-many', async (provider, body) => {
    if (!Array.isArray(body.writes) || body.writes.length > bounds.remoteState.writesMax) {
      throw new Refusal(400, `writes must be a list of at most ${bounds.remoteState.writesMax}`)
    }
    const writes = (body.writes as Body[]).map(({ key, value, revision }) => ({
      key: below(provider, key),
      value,
      revision: optionalText(revision),
    }))
    const results = await state.putMany(writes)
    return { results: results.map(result => (typeof result === 'string' ? { revision: result } : failure(result))) }
  })
  write('delete', async (provider, body) => {
    await state.delete(below(provider, body.key), optionalText(body.revision))
    return {}
  })
}

/** A request that is wrong in itself. */
class Refusal extends Error {
  readonly status: number
  constructor(status: number, message: string) {
    super(message)
    this.status = status
  }
}

/** Compares digests, so that neither content nor length shows in the time. */
function allowed(key: string | undefined, authorization: string | undefined): boolean {
  const digest = (value: string) => createHash('sha256').update(value).digest()
  return timingSafeEqual(digest(`Bearer ${key ?? ''}`), digest(authorization ?? '')) && key !== undefined
}

function below(provider: string, key: unknown): string {
  const checked = text(key)
  if (!checked.startsWith(`${provider}/`)) throw new Refusal(403, `only keys below ${provider}/ are open to it`)
  return checked
}

function fenceOf(request: FastifyRequest): { shard: number; token: number } | undefined {
  const { 'sluice-fencing-shard': shard, 'sluice-fencing-token': token } = request.headers
  if (shard === undefined && token === undefined) return undefined
  const fence = { shard: whole(Number(shard)), token: whole(Number(token)) }
  if (fence.shard >= bounds.remoteState.shards) throw new Refusal(400, 'there is no such shard')
  return fence
}

function text(value: unknown): string {
  if (typeof value === 'string' && value.length <= bounds.remoteState.keyLengthMax) return value
  throw new Refusal(400, `a key or prefix must be text of at most ${bounds.remoteState.keyLengthMax} characters`)
}

function optionalText(value: unknown): string | undefined {
  return value === undefined ? undefined : text(value)
}

function whole(value: unknown): number {
  if (typeof value === 'number' && Number.isSafeInteger(value) && value >= 0) return value
  throw new Refusal(400, 'a limit, shard or token must be a whole number')
}

function failure(error: Error): object {
  return error instanceof SluiceError
    ? { code: error.code, message: error.message }
    : { code: 'SLUICE_STORE_UNAVAILABLE' }
}
