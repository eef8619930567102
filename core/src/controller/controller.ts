import type { FastifyInstance } from 'fastify'
import type { Registry } from 'prom-client'
import type { RuntimesManifest, SystemLimits } from '../model/index.ts'
import type {
  ActivationStore,
  ArtifactStore,
  AttachmentStore,
  Clock,
  KeyRing,
  LoadBalancer,
  Logger,
  Random,
  RateCounters,
} from '../spi/index.ts'
import { createActionResolver } from './action-resolver.ts'
import { createActionService } from './action-service.ts'
import { createApiDoor } from './api-door.ts'
import { createAuthenticator } from './authentication.ts'
import { createBodyReader } from './body-reader.ts'
import { createCodeStore } from './code-store.ts'
import { createEntityCache, type EntityCache } from './entity-cache.ts'
import { createEntityStore } from './entity-store.ts'
import { createExplainService } from './explain-service.ts'
import { createHttpServer } from './http-server.ts'
import { requestMetrics } from './request-metrics.ts'
import { createPackageService } from './package-service.ts'
import { createRootDoor, type Door } from './root-door.ts'
import { createRouteTable } from './route-table.ts'
import { actionRoutes } from './routes/actions.ts'
import { activationRoutes } from './routes/activations.ts'
import { deadLetterRoutes } from './routes/dead-letters.ts'
import { eventRoutes } from './routes/events.ts'
import { namespaceRoutes } from './routes/namespaces.ts'
import { packageRoutes } from './routes/packages.ts'
import { ruleRoutes } from './routes/rules.ts'
import { triggerRoutes } from './routes/triggers.ts'
import type { RuleFilters } from './rule-filters.ts'
import { createRuleService } from './rule-service.ts'
import { apiInfo, serverInfo } from './server-info.ts'
import type {
  ActionResolver,
  DeadLetterService,
  EventService,
  FireService,
  InvokeService,
  SettlementService,
} from './services.ts'
import { createThrottle } from './throttle.ts'
import { createTriggerService } from './trigger-service.ts'

export type ControllerDeps = {
  readonly artifacts: ArtifactStore
  readonly attachments: AttachmentStore
  readonly activations: ActivationStore
  readonly balancer: Pick<LoadBalancer, 'inFlight'>
  readonly clock: Clock
  readonly random: Random
  readonly keyRing: KeyRing
  readonly log: Logger
  readonly manifest: RuntimesManifest
  readonly rateCounters: RateCounters
  readonly invoke: InvokeService
  readonly fire: FireService
  readonly settlement: SettlementService
  readonly deadLetters: DeadLetterService
  readonly events: EventService
  readonly filters: RuleFilters
  /** What is missing before work can be taken; nothing: ready. */
  readonly readiness: () => readonly string[] | Promise<readonly string[]>
  /** What is not as it should be, although work can be taken; `/readyz` says it. */
  readonly notes?: () => readonly string[]
  readonly config: {
    readonly limits: SystemLimits
    readonly build: { readonly version: string; readonly number: string }
  }
  /** Served at `/metrics`; the controller adds its own. */
  readonly metrics?: Registry
  /** Operators come in by a listener of their own; otherwise the public one serves their routes too. */
  readonly ownOperatorDoor?: boolean
  /** The cache and resolver that fan-out uses too: one of each in a process, so that a write here is seen there. */
  readonly cache?: EntityCache
  readonly resolver?: ActionResolver
}

export interface Controller {
  readonly app: FastifyInstance
  /** Where operators come in: `app`, or a server of its own. */
  readonly operator: FastifyInstance
  /** Listens. Rejects with SLUICE_ADDRESS_IN_USE. Port 0 takes a free one. */
  start(address: { host: string; port: number }): Promise<{ port: number }>
  /** With `ownOperatorDoor`: listens there; resolves to the port. */
  startOperator(address: { host: string; port: number }): Promise<number>
  /** Drains and lets go of the port; what it was given stays open. */
  stop(): Promise<void>
}

/** The REST API (rest-api.md): routes on services on stores. */
export function createController(deps: ControllerDeps): Controller {
  const { artifacts, activations, clock, manifest, config } = deps
  const cache = deps.cache ?? createEntityCache({ artifacts, clock })
  const resolver = deps.resolver ?? createActionResolver({ cache })
  const authenticator = createAuthenticator(deps)
  const bodies = createBodyReader(clock)
  const entities = createEntityStore({ artifacts, cache, clock })
  const codes = createCodeStore(deps.attachments)
  const actions = createActionService({ entities, codes, manifest, limits: config.limits })
  const packages = createPackageService({ artifacts, entities, actions })
  const triggers = createTriggerService({ entities, filters: deps.filters })
  const rules = createRuleService({ entities, triggers, filters: deps.filters })
  const explain = createExplainService(deps)
  const { rateCounters, balancer } = deps
  const throttle = createThrottle({ limits: config.limits, rateCounters, balancer, clock })
  const routes = createRouteTable([
    ...namespaceRoutes({ limits: config.limits }),
    ...actionRoutes({ artifacts, actions, packages, resolver, invoke: deps.invoke, bodies, manifest }),
    ...packageRoutes({ artifacts, packages, bodies, manifest }),
    ...triggerRoutes({ artifacts, triggers, cache, fire: deps.fire, explain, bodies, manifest }),
    ...eventRoutes({ events: deps.events, bodies, throttle }),
    ...ruleRoutes({ artifacts, rules, cache, explain, bodies, manifest }),
    ...activationRoutes({ activations, settlement: deps.settlement, bodies }),
    ...deadLetterRoutes(deps),
  ])
  const { firesPerMinute } = config.limits
  const api = createApiDoor({ authenticator, routes, throttle, firesPerMinute, info: apiInfo(config.build) })
  const rootDoor = (door: Door) =>
    createRootDoor({
      door,
      info: serverInfo(manifest, config.limits),
      readiness: deps.readiness,
      notes: deps.notes,
      ...(deps.metrics === undefined ? {} : { metrics: deps.metrics }),
    })
  const observe = requestMetrics(deps.metrics)
  const common = { clock, random: deps.random, log: deps.log, observe }
  const server = createHttpServer({ api, root: rootDoor(deps.ownOperatorDoor ? 'public' : 'all'), ...common })
  const operator = deps.ownOperatorDoor ? createHttpServer({ root: rootDoor('operator'), ...common }) : undefined
  return {
    app: server.app,
    operator: operator?.app ?? server.app,
    start: address => server.start(address),
    async startOperator(address) {
      if (!operator) throw new TypeError('this controller has no door of its own for operators')
      return (await operator.start(address)).port
    },
    async stop() {
      await server.stop()
      await operator?.stop()
      authenticator.close()
      if (deps.cache === undefined) cache.close()
    },
  }
}
