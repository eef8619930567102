import { bounds, SluiceError } from '../../model/index.ts'
import type { Clock, ContainerFactory, ContainerSpec, Labels, Logger, Random } from '../../spi/index.ts'
import { ownerNote } from '../ownership/owner.ts'
import { createApiRelay, type ApiRelay } from './api-relay.ts'
import {
  containerSettings,
  runtimePort,
  type ContainerDefaults,
  type ContainerParameters,
} from './container-settings.ts'
import { ContainerPlaces, type ContainerPlace } from './container-places.ts'
import { ContainerTable } from './container-table.ts'
import { DockerContainer, isListening } from './docker-container.ts'
import { EngineError } from './engine-error.ts'
import { openEngine, type Engine, type EngineAddress, type EngineInfo } from './engine.ts'
import { EngineWatch } from './engine-watch.ts'
import { openFirewall, type Firewall } from './firewall.ts'
import { createImages, howToGet, type Image, type Images, type ImagesOptions } from './images.ts'
import { digest, hasLabels, invokerLabels, labelList, ownerLabels } from './labels.ts'
import { createNetworks, type Networks } from './networks.ts'
import { printArguments } from './print-arguments.ts'
import { Reconciler } from './reconciler.ts'
import { apiSocketInside, runtimeSocketInside, SocketDirectories } from './socket-directories.ts'
import { StartSlots } from './start-slots.ts'
import { knownFaults } from './known-faults.ts'

export type DockerContainerFactoryOptions = {
  readonly engine: EngineAddress
  /** Images of the platform by kind. */
  readonly kinds: ImagesOptions['kinds']
  readonly natives?: ImagesOptions['natives']
  readonly registries: ImagesOptions['registries']
  /** This invoker's number. */
  readonly invoker: number
  /** Names the data directory over restarts: what an earlier process with the same two left behind is ours to end. */
  readonly installation: string
  readonly clock: Clock
  readonly random: Random
  readonly log: Logger
  readonly defaults: ContainerDefaults
  /** `socket`: by a unix socket in a mounted directory, for images that can. `address`: at the container's own address.
   *  `port`: at a published port of this machine's loopback, where addresses cannot be reached. */
  readonly transport: 'socket' | 'address' | 'port'
  /** Where directories of sockets are made; the system's temporary directory unless given. */
  readonly directory?: string
  /** From which networks of namespaces are made. */
  readonly networkRange: string
  /** Ranges that egress `open` does not include. */
  readonly deniedRanges: readonly string[]
  /** Where the hub's public API is called: what `platform` containers reach. Without it they reach nothing. */
  readonly apiTarget?: () => string
  /** Where providers outside of the hub take the lifecycle of feeds, by name: `http:` URLs. */
  readonly lifecycleTargets?: Readonly<Record<string, string>>
  /** For tests: the process that needs what is made (`ownerNote`); this one unless given. */
  readonly note?: string
  /** For tests; this machine's own unless given. */
  readonly firewall?: (owner: string) => Promise<Firewall | undefined>
  /** Containers without a namespace of their own, or of one of these, are trusted where egress cannot be enforced. */
  readonly trustedNamespaces?: readonly string[]
}

export type DockerContainerFactory = ContainerFactory & {
  readonly engineInfo: EngineInfo
  /** Why work cannot be done as it should, for `/readyz`: the engine is away. */
  problem(): string | undefined
  /** What is not as it should be although work can be done: missing images, egress that is not enforced. */
  notes(): readonly string[]
}

/** Where the hub's API is inside a container that has no network. */
const apiPortInside = 3233

/**
 * Containers of a Docker engine (platform.md §13.1, reliability.md §5.2). Rejects with an EngineError when no engine
 * answers at the address.
 *
 *   spec -> image -> egress: network, door to the API -> settings -> create -> attach -> start -> listening
 *
 * A container cannot serve another process than the one that reads its output, so `list` knows only its own; `cleanup`,
 * and a look every 30 s, remove what is in no table.
 */
export async function openDockerContainerFactory(
  options: DockerContainerFactoryOptions,
): Promise<DockerContainerFactory> {
  const { clock, random } = options
  const engine = await openEngine(options.engine, clock)
  const engineInfo = await engine.info()
  const factory = new Factory(options, engine, engineInfo)
  await factory.open(random)
  return factory
}

class Factory implements DockerContainerFactory {
  readonly engineInfo: EngineInfo
  readonly #options: DockerContainerFactoryOptions
  readonly #engine: Engine
  readonly #images: Images
  readonly #invoker: Labels
  readonly #life: Labels
  readonly #owner: Labels
  readonly #table: ContainerTable
  readonly #directories: SocketDirectories
  readonly #slots = new StartSlots(bounds.docker.startsMax)
  readonly #watch: EngineWatch
  readonly #relay: ApiRelay | undefined
  #networks!: Networks
  #places!: ContainerPlaces
  #reconciler!: Reconciler
  #enforced = false

  readonly #placeOf = new Map<DockerContainer, ContainerPlace>()
  #pause: boolean
  #closed = false

  constructor(options: DockerContainerFactoryOptions, engine: Engine, info: EngineInfo) {
    const { clock, log, installation, invoker, note = ownerNote() } = options
    this.#options = options
    this.#engine = engine
    this.engineInfo = info
    this.#pause = info.pause
    this.#invoker = invokerLabels(installation, invoker)
    this.#owner = ownerLabels(note)
    const life = options.random.hexId().slice(0, 12)
    this.#life = { ...this.#invoker, 'sluice.life': life }
    this.#table = new ContainerTable(life)
    this.#images = createImages({ ...options, engine, labels: { ...this.#invoker, ...this.#owner } })
    this.#directories = new SocketDirectories(`${digest(installation)}.${invoker}`, note, options.directory)
    this.#relay = options.apiTarget && createApiRelay(options.apiTarget, log, options.lifecycleTargets)
    this.#watch = new EngineWatch({
      engine,
      clock,
      log,
      labels: labelList(this.#invoker),
      onEvent: event => this.#table.get(event.id)?.heard(event),
      onReturn: () => void this.#reconciler.reconcile(),
    })
  }

  get capabilities(): ContainerFactory['capabilities'] {
    return { pause: this.#pause, isolation: 'container' }
  }

  /** Connects what the containers need; nothing of it is visible to them yet. */
  async open(random: Random): Promise<void> {
    const { clock, log } = this.#options
    const mark = ['sluice', ...Object.values(this.#invoker)].join('-')
    const firewall = this.#engine.local ? await (this.#options.firewall ?? openFirewall)(mark) : undefined
    this.#enforced = firewall !== undefined
    this.#networks = createNetworks({
      engine: this.#engine,
      clock,
      random,
      log,
      firewall,
      relay: this.#relay,
      range: this.#options.networkRange,
      denied: this.#options.deniedRanges,
      invoker: this.#invoker,
      owner: this.#owner,
    })
    this.#places = new ContainerPlaces({
      networks: this.#networks,
      directories: this.#directories,
      log,
      sockets: this.#options.transport === 'socket',
      api: this.#relay !== undefined,
      enforced: this.#enforced,
      trusted: this.#options.trustedNamespaces ?? [],
    })
    this.#reconciler = new Reconciler({
      engine: this.#engine,
      clock,
      log,
      table: this.#table,
      networks: this.#networks,
      directories: this.#directories,
      images: this.#images,
      invoker: this.#invoker,
      life: this.#life,
      engineUp: () => this.#watch.up,
    })
    await this.#watch.start()
    await this.#images.look()
    if (this.#relay && this.#options.transport === 'socket') {
      await this.#relay.listenAt(await this.#directories.apiSocketPath())
    }
    for (const note of this.notes()) log.warn({}, note)
    this.#reconciler.start()
  }

  supports(kind: string): boolean {
    return this.#images.has(kind)
  }

  problem(): string | undefined {
    return this.#watch.up ? undefined : 'the container engine does not answer'
  }

  notes(): readonly string[] {
    const missing = this.#images.missing()
    const named = missing.map(({ kind, image }) => `${kind} (${image})`).join(', ')
    const notes = missing.length === 0 ? [] : [`the engine has no image of ${named}: ${howToGet}`]
    if (!this.#enforced) {
      notes.push(
        'egress of containers in networks is not enforced: the hub may not change the firewall (CAP_NET_ADMIN, iptables)',
      )
    }
    if (!this.#pause) notes.push('idle containers are not suspended: the engine has no freezer')
    return [...notes, ...knownFaults(this.engineInfo)]
  }

  async create(spec: ContainerSpec, signal: AbortSignal, begins?: () => void): Promise<DockerContainer> {
    signal.throwIfAborted()
    this.#mustBeOpen()
    try {
      await this.#reconciler.gate.pass(signal)
      await this.#engineThere(signal)
      const image = await this.#images.ready(spec, spec.userImage === true ? patient(signal) : signal)
      begins?.()
      // Its pull may have taken longer than a start may: each call below has its own limit.
      const starting = spec.userImage === true ? patient(signal) : signal
      const release = await this.#slots.take(starting)
      try {
        this.#mustBeOpen()
        return await this.#start(spec, image, starting)
      } finally {
        release()
      }
    } catch (error) {
      if (error instanceof SluiceError || signal.aborted) throw error
      const text = `Container ${spec.name} could not be started: ${(error as Error).message}`
      throw new SluiceError('SLUICE_CONTAINER_START', text, { cause: error })
    }
  }

  async list(labels: Labels): Promise<DockerContainer[]> {
    return this.#table.all().filter(container => container.running && hasLabels(container.labels, labels))
  }

  cleanup(): Promise<number> {
    return this.#reconciler.cleanup()
  }

  async close(): Promise<void> {
    if (this.#closed) return
    this.#closed = true
    await this.#reconciler.close()
    await Promise.all(this.#table.all().map(container => container.destroy()))
    await this.#networks.close()
    await this.#relay?.close()
    this.#watch.close()
    await this.#directories.close()
  }

  #mustBeOpen(): void {
    if (this.#closed) throw new SluiceError('SLUICE_CLOSED', 'The container factory is closed.')
  }

  /** Waits a while for an engine that is away: with three attempts, a restart of it costs no run that has not begun. */
  async #engineThere(signal: AbortSignal): Promise<void> {
    const patience = new AbortController()
    const either = AbortSignal.any([patience.signal, signal])
    await Promise.race([this.#watch.back(), this.#options.clock.sleep(bounds.docker.returnWaitMs, either)])
    patience.abort()
    this.#mustBeOpen()
  }

  async #start(spec: ContainerSpec, image: Image, signal: AbortSignal): Promise<DockerContainer> {
    const place = await this.#places.take(spec, image)
    const name = this.#table.make(spec.name)
    let container: DockerContainer | undefined
    try {
      const parameters = this.#parameters(spec, image, name, place)
      const settings = containerSettings(parameters, this.#options.defaults)
      this.#options.log.debug({ arguments: printArguments(settings) }, 'creating a container')
      const id = await this.#engine.createContainer(settings, signal)
      container = this.#enter(id, spec, place)
      await container.attach()
      await container.start(signal)
      await this.#untilListening(container, place)
      if (this.#closed || signal.aborted) {
        signal.throwIfAborted()
        this.#mustBeOpen()
      }
      return container
    } catch (error) {
      if (container) await container.destroy()
      else await this.#places.release(place)
      throw startError(spec, error)
    } finally {
      this.#table.made(spec.name)
    }
  }

  #parameters(spec: ContainerSpec, image: Image, name: string, place: ContainerPlace): ContainerParameters {
    const { network, sockets, door } = place
    const apiHost = door ? `http://127.0.0.1:${apiPortInside}` : spec.egress === 'none' ? undefined : network?.apiHost
    return {
      name,
      image: image.name,
      volumes: image.volumes,
      action: !image.bringsAction,
      labels: {
        ...this.#life,
        ...this.#owner,
        'sluice.name': spec.name,
        'sluice.kind': spec.kind,
        'sluice.egress': spec.egress,
        ...(spec.namespace === undefined ? {} : { 'sluice.namespace': spec.namespace }),
      },
      env: {
        ...this.#options.defaults.extraEnv,
        ...spec.env,
        ...(apiHost === undefined ? {} : { __OW_API_HOST: apiHost }),
        ...(sockets ? { __OW_LISTEN_SOCKET: runtimeSocketInside } : {}),
        ...(door ? { __OW_API_SOCKET: apiSocketInside } : {}),
      },
      memoryMb: spec.memoryMb,
      cpuShares: spec.cpuShares,
      network: network?.network ?? 'none',
      socketDirectory: sockets?.directory,
      publish: sockets === undefined && this.#options.transport === 'port',
    }
  }

  #enter(id: string, spec: ContainerSpec, place: ContainerPlace): DockerContainer {
    const { clock, log } = this.#options
    const container = new DockerContainer(id, spec, {
      engine: this.#engine,
      clock,
      log,
      watch: this.#watch,
      cannotPause: error => this.#cannotPause(error),
      letGo: left => this.#letGo(left),
    })
    this.#table.enter(container)
    this.#placeOf.set(container, place)
    return container
  }

  /** Resolves when the runtime can be called, has ended, or took too long: then the caller goes on trying. */
  async #untilListening(container: DockerContainer, { sockets }: ContainerPlace): Promise<void> {
    const { clock } = this.#options
    if (sockets) container.endpoint = { socketPath: sockets.socketPath }
    else container.endpoint = await this.#address(container)
    const patience = new AbortController()
    let over = false
    // The socket's file is there a moment before it takes connections, and before the hub's user may connect.
    const there = sockets?.listening ?? Promise.resolve(true)
    const listening = there.then(() => this.#doorOpen(container, () => over))
    await Promise.race([
      listening,
      container.exited,
      clock.sleep(bounds.docker.listenWaitMs, patience.signal).catch(() => undefined),
    ])
    over = true
    patience.abort()
    if (container.running) return
    const { code } = await container.exited
    if (code === 127) throw new SluiceError('SLUICE_IMAGE_COMMAND', `The image of ${container.name} starts nothing.`)
  }

  async #address(container: DockerContainer): Promise<{ host: string; port: number }> {
    const { address, publishedPort } = await this.#engine.state(container.id)
    if (this.#options.transport === 'port') return { host: '127.0.0.1', port: publishedPort }
    return { host: address, port: runtimePort }
  }

  async #doorOpen(container: DockerContainer, over: () => boolean): Promise<void> {
    const { clock } = this.#options
    const settleMs = this.#options.transport === 'port' ? bounds.docker.portSettleMs : 0
    while (!over() && !(await isListening(container.endpoint, clock, settleMs))) {
      await clock.sleep(bounds.invoker.initRetryMs)
    }
  }

  #cannotPause(error: unknown): void {
    if (!this.#pause) return
    this.#pause = false
    this.#options.log.warn({ err: error }, 'the engine cannot suspend containers: idle ones stay awake from now on')
  }

  async #letGo(container: DockerContainer): Promise<void> {
    const place = this.#placeOf.get(container)
    this.#placeOf.delete(container)
    this.#table.leave(container)
    if (place) await this.#places.release(place)
  }
}

/** The same signal, but for time limits: what is waited for has its own. */
function patient(signal: AbortSignal): AbortSignal {
  const lasting = new AbortController()
  const abort = (): void => {
    const reason = signal.reason as unknown
    if (!(reason instanceof Error && reason.name === 'TimeoutError')) lasting.abort(reason)
  }
  if (signal.aborted) abort()
  else signal.addEventListener('abort', abort, { once: true })
  return lasting.signal
}

/** The engine's refusal to start what is not there is the image's fault (platform.md §10.1). */
function startError(spec: ContainerSpec, error: unknown): unknown {
  const nothing =
    error instanceof EngineError && /executable file not found|no such file or directory/i.test(error.message)
  if (!nothing || spec.userImage !== true) return error
  return new SluiceError('SLUICE_IMAGE_COMMAND', `The image of ${spec.name} starts nothing.`, { cause: error })
}
