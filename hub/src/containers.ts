import type { Config } from '@sluice/core/config'
import { engineAddress, EngineError, mayAnswer, openDockerContainerFactory } from '@sluice/core/container/docker'
import type { DockerContainerFactory } from '@sluice/core/container/docker'
import { createProcessContainerFactory, type ProcessContainerFactory } from '@sluice/core/container/process'
import { SluiceError } from '@sluice/core/model'
import type { Clock, ContainerFactory, Logger, Random } from '@sluice/core/spi'
import { eitherFactory } from './either-factory.ts'
import { imagesOfKinds, nativeImages, processRuntimes } from './runtimes.ts'

/** How this hub runs actions, as `--containers` says. */
export type Containers = {
  readonly factory: ContainerFactory
  /** What runs actions, in a line for the person at the terminal. */
  readonly summary: string
  /** Whether actions of this kind reach nothing but the hub's public API, so that providers are called through it. */
  reachesHubOnly(kind: string): boolean
  /** Why actions cannot be run now. */
  problem(): string | undefined
  /** What is not as it should be, although actions can be run. */
  notes(): readonly string[]
  /** For a handler of the process's `exit`, where nothing can be awaited: ends what would outlive it. */
  killNow(): void
}

export type ContainersTools = {
  readonly invoker: number
  /** The data directory. */
  readonly installation: string
  readonly clock: Clock
  readonly random: Random
  readonly log: Logger
  /** Where the public API is called from this machine. */
  readonly apiTarget: () => string
  /** Providers outside of this process, by name. */
  readonly lifecycleTargets?: Readonly<Record<string, string>>
}

/**
 * Opens what `containers.mode` asks for. `auto`: Docker for the kinds whose image an engine on this machine has, processes
 * for the others. Rejects with SLUICE_CONFIG when `docker` is asked for and no engine answers.
 */
export async function openContainers(config: Config['containers'], tools: ContainersTools): Promise<Containers> {
  const docker = config.mode === 'process' ? undefined : await openDocker(config, tools)
  const processes = config.mode === 'docker' ? undefined : openProcesses(tools)
  const dockerText = docker && `Docker ${docker.engineInfo.version}`
  if (docker && processes) {
    const factory = eitherFactory(docker, processes)
    const inDocker = Object.keys(imagesOfKinds()).filter(kind => docker.supports(kind))
    return {
      factory,
      summary:
        inDocker.length === 0
          ? `processes; ${dockerText} answers, but has no image of any kind (npm run images)`
          : `${dockerText} for ${inDocker.join(', ')}; processes for other kinds`,
      reachesHubOnly: kind => docker.supports(kind),
      problem: () => docker.problem(),
      notes: () => docker.notes(),
      killNow: () => processes.killNow(),
    }
  }
  if (docker) {
    return {
      factory: docker,
      summary: dockerText ?? '',
      reachesHubOnly: () => true,
      problem: () => docker.problem(),
      notes: () => docker.notes(),
      killNow: () => undefined,
    }
  }
  const factory = processes ?? openProcesses(tools)
  const why = config.mode === 'auto' ? ['actions run as processes: no container engine answers'] : []
  return {
    factory,
    summary: 'processes of this user',
    reachesHubOnly: () => false,
    problem: () => undefined,
    notes: () => why,
    killNow: () => factory.killNow(),
  }
}

function openProcesses(tools: ContainersTools): ProcessContainerFactory {
  return createProcessContainerFactory({ ...tools, runtimes: processRuntimes() })
}

async function openDocker(
  { mode, docker }: Config['containers'],
  tools: ContainersTools,
): Promise<DockerContainerFactory | undefined> {
  const engine = engineAddress(docker.engine)
  if (mode === 'auto' && !mayAnswer(engine)) return undefined
  const { transport } = docker
  try {
    const factory = await openDockerContainerFactory({
      ...tools,
      engine,
      kinds: imagesOfKinds(),
      natives: nativeImages,
      registries: docker.registries,
      defaults: {
        user: docker.user,
        dns: docker.dns,
        dnsSearch: docker.dnsSearch,
        dnsOptions: docker.dnsOptions,
        extraEnv: Object.fromEntries(docker.extraEnv.map(variable)),
        runtime: docker.runtime,
        tmpMb: docker.tmpMb,
        actionMb: docker.actionMb,
      },
      transport: transport === 'auto' ? ('socketPath' in engine ? 'socket' : 'address') : transport,
      directory: docker.socketDirectory,
      networkRange: docker.networkRange,
      deniedRanges: docker.deniedRanges,
      trustedNamespaces: ['whisk.system'],
    })
    return factory
  } catch (error) {
    if (!(error instanceof EngineError)) throw error
    if (mode === 'auto') return undefined
    const text = `No container engine answers at ${docker.engine}. Start it, name another with containers.docker.engine, or use --containers process.`
    throw new SluiceError('SLUICE_CONFIG', text, { cause: error })
  }
}

/** `NAME=value`, or `NAME` for an empty one. */
function variable(text: string): [string, string] {
  const equals = text.indexOf('=')
  return equals < 0 ? [text, ''] : [text.slice(0, equals), text.slice(equals + 1)]
}
