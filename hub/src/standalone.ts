import type { Config } from '@sluice/core/config'
import { openEmbeddedBackend } from '@sluice/core/backend/embedded'
import {
  createActionResolver,
  createController,
  createDeadLetterService,
  createEntityCache,
  createEventService,
  createFanOut,
  createFireService,
  createInvokeService,
  createMinuteCounters,
  createRuleFilters,
  createSettlementService,
  createTriggerIndex,
  ensureIdentity,
  stateRoutes,
} from '@sluice/core/controller'
import { createChildEvaluator } from '@sluice/cloudevents/jsonata'
import { createInvoker, pruneDeadLetters } from '@sluice/core/invoker'
import { bounds, groups, printImageName, topics } from '@sluice/core/model'
import { createRecordTail, systemClock, systemRandom, type Logger } from '@sluice/core/spi'
import { createProvider } from '@sluice/provider-kit'
import { alarmsPackage, alarmsProvider } from '@sluice/provider-alarms'
import { openContainers } from './containers.ts'
import { openDataDirectory, openPrivateFolder } from './data-directory.ts'
import { createHubEvents } from './hub-events.ts'
import { createHubMetrics } from './metrics.ts'
import { createLocalBalancer } from './local-balancer.ts'
import { createReadiness } from './readiness.ts'
import { isNativeImage, manifestOf } from './runtimes.ts'
import type { Running, StandaloneTools } from './running.ts'
import { providerSecrets } from './provider-secrets.ts'
import { openSecrets } from './secrets.ts'
import { listenError, storeError } from './start-errors.ts'
import { installEntities } from './system-packages.ts'
import { repeatedly } from './repeatedly.ts'
import { version } from './version.ts'

/** The number of the only invoker of a hub in one process. */
const instance = 0

/**
 * The whole hub in this process (design.md §1): one database behind bus and stores, one invoker, one controller, the
 * alarms provider. Parts are opened in order and closed in reverse.
 */
export async function startStandalone(config: Config, { log, onFatal }: StandaloneTools): Promise<Running> {
  const clock = systemClock
  const random = systemRandom
  const closers: (() => unknown)[] = []
  const close = async (): Promise<void> => {
    for (const closer of closers.splice(0).reverse()) await closer()
  }
  try {
    const directory = openDataDirectory(config.dataDir)
    const { keyRing, credentials } = openSecrets(directory, config.secrets, random)
    const readiness = createReadiness()
    const events = createHubEvents()
    const metrics = createHubMetrics()

    const backend = await openEmbeddedBackend({
      directory: openPrivateFolder(directory, 'db'),
      clock,
      random,
      log: child(log, 'store'),
      onFatal,
      retention: {
        activationMs: config.retention.activationsMs,
        activationBytes: config.retention.activationsBytes,
      },
      ...(process.env.SLUICE_TEST_SABOTAGE === 'acknowledge-before-sync'
        ? { sabotage: 'acknowledge-before-sync' as const }
        : {}),
    }).catch((error: unknown) => {
      throw storeError(error, config.dataDir)
    })
    closers.push(() => backend.close())
    const { activations, artifacts, attachments, bus, state } = backend

    const identities = [
      { namespace: 'guest', credential: credentials.guest },
      { namespace: 'whisk.system', credential: credentials.system },
      ...config.identities.map(({ namespace, key }) => ({ namespace, credential: key })),
    ]
    for (const { namespace, credential } of identities) {
      const colon = credential.indexOf(':')
      await ensureIdentity(
        { artifacts, keyRing, clock },
        { subject: namespace, namespace, uuid: credential.slice(0, colon), key: credential.slice(colon + 1) },
      )
    }

    let apiHost = ''
    let localUrl = ''
    const containers = await openContainers(config.containers, {
      invoker: instance,
      installation: directory.path,
      clock,
      random,
      log: child(log, 'containers'),
      // Known only once the port is bound; no container runs before that.
      apiTarget: () => localUrl,
      lifecycleTargets: config.providers.alarms.url === undefined ? {} : { alarms: config.providers.alarms.url },
    })
    const { factory } = containers
    readiness.probe('containers', () => containers.problem())
    // Whatever way this process ends, what it started ends with it.
    const killNow = (): void => containers.killNow()
    process.on('exit', killNow)
    closers.push(async () => {
      await factory.close()
      process.off('exit', killNow)
    })
    const manifest = manifestOf(kind => factory.supports(kind))
    /** What the actions of feeds run in. */
    const feedKind = manifest.resolve('nodejs:default')?.kind ?? 'nodejs:20'
    const imageOf = (kind: string): string => {
      const image = manifest.kind(kind)?.image
      return image ? printImageName(image) : kind
    }

    const tail = createRecordTail(error => log.error({ err: error }, 'a listener of records failed'))
    const invoker = createInvoker({
      instance,
      bus,
      artifacts,
      attachments,
      activations,
      state,
      factory,
      keyRing,
      clock,
      random,
      log: child(log, 'invoker'),
      tail,
      limits: {
        resultBytesMax: bounds.actionLimits.resultBytesMax,
        resultTruncationBytes: bounds.actionLimits.resultTruncationBytes,
      },
      pool: {
        userMemoryMb: config.invoker.userMemoryMb,
        pauseGraceMs: config.invoker.pauseGraceMs,
        idleContainerMs: config.invoker.idleContainerMs,
        stemCells: config.invoker.prewarm,
      },
      labels: { hub: directory.path, invoker: String(instance) },
      egress: config.containers.docker.egress,
      environment: ({ concurrency }) => ({
        __OW_API_HOST: apiHost,
        ...(concurrency > 1 ? { __OW_ALLOW_CONCURRENT: 'true' } : {}),
      }),
      imageOf,
      isNative: isNativeImage,
      observe: {
        ...metrics.observer,
        // It was counted as waiting when this process started.
        repeated({ origin, user }) {
          if (origin.kind === 'rule' && origin.round === 0) fire.settledBefore(user.namespace.name, 1)
        },
        settled(record, message) {
          metrics.observer.settled(record, message)
          events.settled(record, message)
        },
      },
    })
    const balancer = createLocalBalancer({ bus, invoker, instance, tail })
    const cache = createEntityCache({ artifacts, clock })
    closers.push(() => cache.close())
    const resolver = createActionResolver({ cache })
    const jsonata = createChildEvaluator()
    closers.push(() => jsonata.close())
    const filters = createRuleFilters(jsonata, {
      unusable: (entity, problem) => log.warn({ entity, problem }, 'a stored annotation cannot be used'),
    })
    const triggerIndex = createTriggerIndex({ artifacts, filters, clock })
    closers.push(() => triggerIndex.close())
    const fire = createFireService({
      bus,
      state,
      clock,
      random,
      tail,
      filters,
      sources: [
        { topic: topics.fires, group: groups.fanOut },
        { topic: topics.invoker(instance), group: groups.invoker(instance) },
      ],
      observe: {
        accepted(record) {
          metrics.accepted(record)
          events.fired(record)
        },
      },
    })
    const fanOut = createFanOut({
      bus,
      activations,
      state,
      balancer,
      resolver,
      clock,
      log: child(log, 'fan-out'),
      tail,
      jsonata,
      observe: {
        fannedOut({ user }, counts) {
          metrics.fannedOut(counts)
          fire.settledBefore(user.namespace.name, counts.repeated)
        },
        quarantined: () => metrics.quarantined(topics.fires),
      },
    })
    metrics.watch({
      invoker,
      store: () => backend.stats(),
      firesWaiting: () => fanOut.depth(),
      ruleRunsWaiting: () => fire.pending(),
    })

    const controller = createController({
      artifacts,
      attachments,
      activations,
      balancer,
      clock,
      random,
      keyRing,
      log: child(log, 'controller'),
      manifest,
      rateCounters: createMinuteCounters(clock),
      invoke: createInvokeService({
        balancer,
        clock,
        random,
        keyRing,
        once: { activations, state, tail, clock },
      }),
      fire,
      events: createEventService({
        fire,
        filters,
        triggers: triggerIndex,
        observe: {
          unrouted: () => metrics.unrouted(),
          undecided: (_, triggers) => metrics.undecided(triggers),
        },
      }),
      filters,
      settlement: createSettlementService({ activations, fires: fire, tail, clock }),
      deadLetters: createDeadLetterService(state),
      notes: () => containers.notes(),
      readiness: () => Object.entries(readiness.report()).map(([part, reason]) => `${part}: ${reason}`),
      config: {
        limits: { ...config.limits, actions: { ...bounds.actionLimits, ...config.limits.actions } },
        build: { version, number: version },
      },
      metrics: metrics.registry,
      ownOperatorDoor: config.admin.port !== undefined,
      cache,
      resolver,
    })
    readiness.missing('hub', 'it is starting')
    const { admin } = config
    const ownDoor = admin.port === undefined ? undefined : { host: admin.host, port: admin.port }

    const alarms = config.providers.alarms.enabled ? await alarmsIn() : undefined
    const alarmsUrl = config.providers.alarms.url
    if (!alarms && alarmsUrl !== undefined) await alarmsAt(alarmsUrl)

    async function alarmsIn(): Promise<ReturnType<typeof createProvider>> {
      const { app } = controller
      const { token } = providerSecrets(keyRing, 'alarms')
      const provider = createProvider({
        definition: alarmsProvider(config.providers.alarms),
        state,
        keyRing,
        clock,
        random,
        log: child(log, 'alarms'),
        // Known only once the port is bound; the provider starts after that.
        hubUrl: () => apiHost,
        instance: 'hub',
        token,
        ...(config.limits.profile === 'open' ? { lifecyclePerMinute: Infinity } : {}),
      })
      const prefix = '/providers/alarms'
      if (controller.operator === app) await app.register(provider.plugin, { prefix })
      else {
        await app.register(provider.feedPlugin, { prefix })
        await controller.operator.register(provider.operatorPlugin, { prefix })
      }
      await installAlarms(token)
      readiness.probe('alarms', () => provider.readiness().reason)
      return provider
    }

    /** The provider runs in a process of its own: its state is here, its feed actions go there. */
    async function alarmsAt(endpoint: string): Promise<void> {
      const { key, token } = providerSecrets(keyRing, 'alarms')
      await controller.operator.register(stateRoutes, {
        state,
        clock,
        random,
        providerKeys: new Map([['alarms', key]]),
      })
      const hubOnly = containers.reachesHubOnly(feedKind)
      await installAlarms(token, hubOnly ? undefined : endpoint)
    }

    async function installAlarms(token: string, endpoint?: string): Promise<void> {
      const { limitCronFields } = config.providers.alarms
      const entities = alarmsPackage({ keyRing, token, endpoint, limitCronFields, nowMs: clock.nowMs() })
      await installEntities({ artifacts, keyRing }, entities, feedKind)
    }

    await fire.start()
    closers.push(() => controller.stop())
    if (ownDoor) {
      ownDoor.port = await controller.startOperator(ownDoor).catch((error: unknown) => {
        throw listenError(error, ownDoor.host, ownDoor.port, { host: 'admin.host', port: 'admin.port' })
      })
    }
    const { port } = await controller.start(config.http).catch((error: unknown) => {
      throw listenError(error, config.http.host, config.http.port)
    })
    localUrl = `http://${hostInUrl(config.http.host)}:${port}`
    apiHost = config.http.publicUrl ?? `http://${hostInUrl(config.http.host)}:${port}`
    await invoker.start()
    closers.push(() => invoker.stop())
    await fanOut.start()
    closers.push(() => fanOut.stop())
    if (alarms) {
      await alarms.start()
      closers.push(() => alarms.stop())
    }
    backend.startMaintenance()
    closers.push(
      repeatedly(
        clock,
        bounds.hub.pruneIntervalMs,
        async () => {
          const deadLetters = await pruneDeadLetters(state, clock, {
            deadLetterTtlMs: config.retention.deadLettersMs,
            deadLettersPerRuleMax: config.retention.deadLettersPerRule,
          })
          metrics.pruned({ deadLetters, identities: await fire.prune() })
        },
        error => log.warn({ err: error }, 'pruning failed'),
      ),
    )
    readiness.ready('hub')
    closers.push(() => readiness.missing('hub', 'it is stopping'))
    let stopping: Promise<void> | undefined
    const { summary } = containers
    return {
      port,
      apiHost,
      guestKey: credentials.guest,
      containers: summary,
      ...(ownDoor && { operatorUrl: `http://${hostInUrl(ownDoor.host)}:${ownDoor.port}` }),
      events,
      stop: () => (stopping ??= close()),
    }
  } catch (error) {
    await close().catch((cause: unknown) => log.warn({ err: cause }, 'closing after a failed start'))
    throw error
  }
}

function child(log: Logger, component: string): Logger {
  return log.child({ component })
}

/** Where clients on this machine reach a server that listens on every address. */
function hostInUrl(host: string): string {
  if (host === '0.0.0.0' || host === '::') return '127.0.0.1'
  return host.includes(':') ? `[${host}]` : host
}
