import type { FastifyPluginAsync } from 'fastify'
import { bounds } from '@sluice/core/model'
import { createHubClient, type HubClient } from '@sluice/core/client'
import type { Clock, KeyRing, Logger, Random, StateStore } from '@sluice/core/spi'
import { createDeadLetters, type DeadLetters } from './dead-letters.ts'
import type { CoreDialect } from './event-request.ts'
import type { Parameters, ProviderDefinition } from './feed.ts'
import { createFirer, type Firer } from './firer.ts'
import { KeyedLock } from './keyed-lock.ts'
import { createLifecycle, disableSession, type LifecycleAnswer } from './lifecycle.ts'
import { createLive } from './live.ts'
import { createProviderMetrics } from './metrics.ts'
import { createRegistry } from './registry.ts'
import { removeSession } from './remove-session.ts'
import { providerRoutes } from './routes.ts'
import { maskedConfig } from './subscription.ts'

export type ProviderOptions = {
  definition: ProviderDefinition
  state: StateStore
  keyRing: KeyRing
  clock: Clock
  random: Random
  log: Logger
  /** The API that is fired at: any form of feeds.md §1.6. A function is asked at `start`: a hub learns its own port late. */
  hubUrl: string | (() => string)
  /** Names this installation in event sources. */
  instance: string
  /** The secret shared with the feed actions. */
  token: string
  /** `openwhisk` when `hubUrl` is another core than Sluice's. */
  dialect?: CoreDialect
  insecure?: boolean
  lifecyclePerMinute?: number
  lifecycleMs?: number
  fireConcurrency?: number
  /** A client of the caller's, in the place of one for `hubUrl`. */
  client?: HubClient
}

export interface Provider {
  readonly name: string
  /** All its doors. Mount it at `/`, or at `/providers/<name>` in a hub. */
  readonly plugin: FastifyPluginAsync
  /** The doors for feed actions, and those for operators, apart. */
  readonly feedPlugin: FastifyPluginAsync
  readonly operatorPlugin: FastifyPluginAsync
  /** Reads all subscriptions and starts their sources. */
  start(): Promise<void>
  /** Ends all sources, waits for what is under way, lets go of connections. */
  stop(): Promise<void>
  readiness(): { ready: boolean; reason?: string }
  handleLifecycle(parameters: Parameters): Promise<LifecycleAnswer>
  readonly deadLetters: DeadLetters
}

/** Puts the parts of one provider together; nothing runs before `start`. */
export function createProvider(options: ProviderOptions): Provider {
  const { definition, state, keyRing, clock, random, log, instance } = options
  const name = definition.name
  const registry = createRegistry(state, name)
  const deadLetters = createDeadLetters({ state, provider: name, keyRing, clock, random })
  const metrics = createProviderMetrics(name)
  const locks = new KeyedLock()
  let phase: 'new' | 'starting' | 'running' | 'stopped' = 'new'
  let running: Running | undefined

  function unready(): string | undefined {
    if (phase !== 'running') return `the provider is ${phase}`
    return running?.firer.reachable === false ? 'the hub does not answer' : undefined
  }

  async function start(): Promise<void> {
    phase = 'starting'
    const client =
      options.client ??
      createHubClient({
        apihost: typeof options.hubUrl === 'string' ? options.hubUrl : options.hubUrl(),
        clock,
        insecure: options.insecure,
        connections: bounds.feeds.fireConnectionsMax,
      })
    const firer = createFirer({ client, clock, random, concurrency: options.fireConcurrency })
    const { dropped } = metrics
    const source = await definition.start?.({ name, instance, state, clock, random, log, dropped })
    const parts = { definition, client, registry, locks, deadLetters, keyRing, clock, random, log, metrics }
    const live = createLive({
      ...parts,
      provider: name,
      source,
      firer,
      dialect: options.dialect ?? 'sluice',
      feedOf: feed => definition.feeds.find(candidate => candidate.name === feed) ?? unknownFeed(feed),
      owner: {
        disable: (session, message, statusCode) => disableSession({ ...parts, live }, session, message, statusCode),
        remove: (session, also) => removeSession({ ...parts, live }, session, also),
      },
    })
    metrics.watch(() => ({ owned: live.size, inFlight: firer.inFlight }))
    running = {
      live,
      firer,
      handleLifecycle: createLifecycle({ ...parts, live, lifecycleMs: options.lifecycleMs }),
      close: async () => {
        await live.closeAll()
        await source?.close()
        await client.close()
      },
    }
    const subIds = new Map<string, string>()
    for await (const registered of registry.all()) {
      subIds.set(registered.id, registered.document.subId)
      live.open(registered)
    }
    source?.loaded(id => subIds.get(id))
    phase = 'running'
    log.info({ provider: name, subscriptions: subIds.size, active: live.size }, 'provider started')
  }

  async function stop(): Promise<void> {
    if (phase === 'stopped') return
    phase = 'stopped'
    await running?.close()
  }

  async function handleLifecycle(parameters: Parameters): Promise<LifecycleAnswer> {
    if (phase !== 'running' || !running) return { status: 503, body: { error: 'the provider is not ready' } }
    return running.handleLifecycle(parameters)
  }

  async function listSubscriptions(after: string | undefined): Promise<unknown[]> {
    const entries = await state.scan({
      prefix: `${name}/sub/`,
      after: after === undefined ? undefined : `${name}/sub/${after}`,
      limit: bounds.feeds.listMax,
    })
    const found = []
    for (const entry of entries) {
      const registered = await registry.get(entry.key.slice(`${name}/sub/`.length))
      if (!registered) continue
      const { secrets, config, ...document } = registered.document
      const feed = definition.feeds.find(candidate => candidate.name === document.feed)
      found.push({
        id: registered.id,
        ...document,
        config: feed ? maskedConfig(feed, config) : config,
        secrets: Object.keys(secrets),
        stats: running?.live.statsOf(registered.id),
      })
    }
    return found
  }

  const { token, lifecyclePerMinute } = options
  const routes = providerRoutes({
    ...{ token, clock, metrics, lifecyclePerMinute },
    ...{ handleLifecycle, unready, listSubscriptions },
  })
  return {
    name,
    plugin: routes.all,
    feedPlugin: routes.feeds,
    operatorPlugin: routes.operator,
    start,
    stop,
    readiness: () => {
      const reason = unready()
      return reason === undefined ? { ready: true } : { ready: false, reason }
    },
    handleLifecycle,
    deadLetters,
  }
}

type Running = {
  readonly firer: Firer
  readonly live: ReturnType<typeof createLive>
  readonly handleLifecycle: (parameters: Parameters) => Promise<LifecycleAnswer>
  readonly close: () => Promise<void>
}

function unknownFeed(feed: string): never {
  throw new Error(`no feed '${feed}' in this provider`)
}
