import { createHash } from 'node:crypto'
import { bounds, SluiceError } from '../../model/index.ts'
import type { Clock, ContainerFactory, ContainerSpec, Labels, Logger, Random, Timer } from '../../spi/index.ts'
import { CleanupGate } from '../ownership/cleanup-gate.ts'
import { createApiRelay, type ApiRelay } from './api-relay.ts'
import {
  containerSettings,
  runtimePort,
  type ContainerDefaults,
  type ContainerParameters,
} from './container-settings.ts'
import { DockerContainer, isListening } from './docker-container.ts'
import { EngineError } from './engine-error.ts'
import { openEngine, type Engine, type EngineAddress, type EngineInfo } from './engine.ts'
import { EngineWatch } from './engine-watch.ts'
import { openFirewall, type Firewall } from './firewall.ts'
import { createImages, howToGet, type Image, type Images, type ImagesOptions } from './images.ts'
import { createNetworks, type NetworkPlace, type Networks } from './networks.ts'
import { printArguments } from './print-arguments.ts'
import { apiSocketInside, runtimeSocketInside, SocketDirectories, type SocketDirectory } from './socket-directories.ts'
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
  /** What containers reach that ask for `platform`, the default; they get this instead. */
  readonly egress?: ContainerSpec['egress']
  /** From which networks of namespaces are made. */
  readonly networkRange: string
  /** Ranges that egress `open` does not include. */
  readonly deniedRanges: readonly string[]
  /** Where the hub's public API is called: what `platform` containers reach. Without it they reach nothing. */
  readonly apiTarget?: () => string
  /** Where providers outside of the hub take the lifecycle of feeds, by name: `http:` URLs. */
  readonly lifecycleTargets?: Readonly<Record<string, string>>
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
  const factory = new Factory(
    options,
    engine,
    engineInfo,
    createImages({ ...options, engine, labels: ownerOf(options.installation, options.invoker) }),
  )
  await factory.open(random)
  return factory
}

/** Labels of everything that this invoker makes, in whatever life. */
function ownerOf(installation: string, invoker: number): Record<string, string> {
  return { 'sluice.installation': digest(installation), 'sluice.invoker': String(invoker) }
}

class Factory implements DockerContainerFactory {
  readonly engineInfo: EngineInfo
  readonly #options: DockerContainerFactoryOptions
  readonly #engine: Engine
  readonly #images: Images
  readonly #owner: Readonly<Record<string, string>>
  readonly #life: string
  readonly #directories: SocketDirectories
  readonly #slots = new StartSlots(bounds.docker.startsMax)
  readonly #gate = new CleanupGate()
  readonly #watch: EngineWatch
  readonly #relay: ApiRelay | undefined
  #networks!: Networks
  #enforced = false

  readonly #containers = new Map<string, DockerContainer>()
  readonly #resources = new Map<DockerContainer, Resources>()
  /** Names of containers that are being created: the engine may list them before we know their ids. */
  readonly #creating = new Set<string>()
  #pause: boolean
  #closed = false
  #reconciler: Timer | undefined
  #reconciling: Promise<void> | undefined

  constructor(options: DockerContainerFactoryOptions, engine: Engine, info: EngineInfo, images: Images) {
    const { clock, log, installation, invoker } = options
    this.#options = options
    this.#engine = engine
    this.#images = images
    this.engineInfo = info
    this.#pause = info.pause
    this.#owner = ownerOf(installation, invoker)
    this.#life = options.random.hexId().slice(0, 12)
    this.#directories = new SocketDirectories(`${digest(installation)}.${invoker}`, options.directory)
    this.#relay = options.apiTarget && createApiRelay(options.apiTarget, log, options.lifecycleTargets)
    this.#watch = new EngineWatch({
      engine,
      clock,
      log,
      labels: labelList(this.#owner),
      onEvent: event => this.#containers.get(event.id)?.heard(event),
      onReturn: () => void this.#reconcile(),
    })
  }

  get capabilities(): ContainerFactory['capabilities'] {
    return { pause: this.#pause, isolation: 'container' }
  }

  /** Connects what the containers need; nothing of it is visible to them yet. */
  async open(random: Random): Promise<void> {
    const { clock, log } = this.#options
    await this.#watch.start()
    const owner = `sluice-${this.#owner['sluice.installation']}-${this.#owner['sluice.invoker']}`
    const firewall = this.#engine.local ? await (this.#options.firewall ?? openFirewall)(owner) : undefined
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
      owner: this.#owner,
    })
    await this.#images.look()
    if (this.#relay && this.#options.transport === 'socket') {
      await this.#relay.listenAt(await this.#directories.apiSocketPath())
    }
    for (const note of this.notes()) log.warn({}, note)
    this.#scheduleReconcile()
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

  async create(asked: ContainerSpec, signal: AbortSignal, begins?: () => void): Promise<DockerContainer> {
    signal.throwIfAborted()
    this.#mustBeOpen()
    const { egress = 'platform' } = this.#options
    const spec = asked.egress === 'platform' ? { ...asked, egress } : asked
    try {
      await this.#gate.pass(signal)
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
    const wanted = Object.entries(labels)
    return [...this.#containers.values()].filter(
      container => container.running && wanted.every(([name, value]) => container.labels[name] === value),
    )
  }

  cleanup(): Promise<number> {
    const cleaned = this.#removeStrays().then(async removed => {
      await this.#directories.removeOthers()
      return removed
    })
    return this.#gate.hold(cleaned)
  }

  async close(): Promise<void> {
    if (this.#closed) return
    this.#closed = true
    this.#reconciler?.cancel()
    await Promise.all([this.#reconciling, this.#gate.passed()])
    await Promise.all([...this.#containers.values()].map(container => container.destroy()))
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
    if (this.#watch.up) return
    const patience = new AbortController()
    const either = AbortSignal.any([patience.signal, signal])
    await Promise.race([this.#watch.back(), this.#options.clock.sleep(bounds.docker.returnWaitMs, either)])
    patience.abort()
    this.#mustBeOpen()
  }

  async #start(spec: ContainerSpec, image: Image, signal: AbortSignal): Promise<DockerContainer> {
    const resources = await this.#resourcesFor(spec, image)
    const name = `${spec.name.replace(/[^A-Za-z0-9_.-]/g, '')}_${this.#life}`
    this.#creating.add(name)
    let container: DockerContainer | undefined
    try {
      const parameters = this.#parameters(spec, image, name, resources)
      const settings = containerSettings(parameters, this.#options.defaults)
      this.#options.log.debug({ arguments: printArguments(settings) }, 'creating a container')
      const id = await this.#engine.createContainer(settings, signal)
      container = this.#enter(id, spec, resources)
      await container.attach()
      await container.start(signal)
      await this.#untilListening(container, resources)
      if (this.#closed || signal.aborted) {
        signal.throwIfAborted()
        this.#mustBeOpen()
      }
      return container
    } catch (error) {
      if (container) await container.destroy()
      else await this.#release(resources)
      throw startError(spec, error)
    } finally {
      this.#creating.delete(name)
    }
  }

  /** Where a container may send to, and how it is reached: by the policy, and by what its image can. */
  async #resourcesFor(spec: ContainerSpec, image: Image): Promise<Resources> {
    const socket = this.#options.transport === 'socket' && image.sockets.listen
    const door = socket && image.sockets.api && this.#relay !== undefined
    const needsNetwork = !socket || (spec.egress === 'platform' && this.#relay !== undefined && !door)
    // A stem cell does not know its namespace yet: in a network of its own it meets nobody's.
    const namespace = spec.namespace ?? `stem cell ${spec.name}`
    let place: NetworkPlace | undefined
    if (spec.egress === 'open') {
      place = await this.#networks.take(namespace, 'open')
    } else if (needsNetwork) {
      if (!this.#enforced && !this.#isTrusted(namespace)) {
        const text = `Egress of ${spec.name} cannot be limited to ${spec.egress} here: the hub may not change the firewall.`
        throw new SluiceError('SLUICE_CONTAINER_START', text)
      }
      place = await this.#networks.take(namespace, 'platform')
    }
    try {
      const sockets = socket ? await this.#directories.create(door && spec.egress === 'platform') : undefined
      return { place, sockets, door: door && spec.egress === 'platform' }
    } catch (error) {
      place?.release()
      throw error
    }
  }

  #isTrusted(namespace: string): boolean {
    return (this.#options.trustedNamespaces ?? []).includes(namespace)
  }

  #parameters(spec: ContainerSpec, image: Image, name: string, resources: Resources): ContainerParameters {
    const { place, sockets, door } = resources
    const apiHost = door ? `http://127.0.0.1:${apiPortInside}` : spec.egress === 'none' ? undefined : place?.apiHost
    return {
      name,
      image: image.name,
      volumes: image.volumes,
      action: !image.bringsAction,
      labels: {
        ...this.#owner,
        'sluice.life': this.#life,
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
      network: place?.network ?? 'none',
      socketDirectory: sockets?.directory,
      publish: sockets === undefined && this.#options.transport === 'port',
    }
  }

  #enter(id: string, spec: ContainerSpec, resources: Resources): DockerContainer {
    const { clock, log } = this.#options
    const container = new DockerContainer(id, spec, {
      engine: this.#engine,
      clock,
      log,
      watch: this.#watch,
      cannotPause: error => this.#cannotPause(error),
      letGo: left => this.#letGo(left),
    })
    this.#containers.set(id, container)
    this.#resources.set(container, resources)
    return container
  }

  /** Resolves when the runtime can be called, has ended, or took too long: then the caller goes on trying. */
  async #untilListening(container: DockerContainer, { sockets }: Resources): Promise<void> {
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
    const resources = this.#resources.get(container)
    this.#resources.delete(container)
    this.#containers.delete(container.id)
    if (resources) await this.#release(resources)
  }

  async #release({ place, sockets }: Resources): Promise<void> {
    place?.release()
    await sockets
      ?.remove()
      .catch((error: unknown) =>
        this.#options.log.warn({ err: error }, 'the directory of a container could not be removed'),
      )
  }

  #scheduleReconcile(): void {
    if (this.#closed) return
    const again = (): void => void this.#reconcile().then(() => this.#scheduleReconcile())
    this.#reconciler = this.#options.clock.setTimer(bounds.docker.reconcileMs, again, { unref: true })
  }

  /** Makes engine and table agree again; one at a time. */
  #reconcile(): Promise<void> {
    this.#reconciling ??= this.#agree()
      .catch((error: unknown) => this.#options.log.warn({ err: error }, 'containers could not be reconciled'))
      .finally(() => (this.#reconciling = undefined))
    return this.#reconciling
  }

  async #agree(): Promise<void> {
    if (this.#closed || !this.#watch.up) return
    const before = new Set(this.#containers.keys())
    const removed = await this.#removeStrays()
    if (removed > 0) this.#options.log.warn({ containers: removed }, 'containers that belonged to nobody were removed')
    const present = new Set((await this.#engine.list(this.#lifeLabels())).map(({ id }) => id))
    for (const id of before) if (!present.has(id)) this.#containers.get(id)?.missing()
    await this.#images.look()
  }

  /** Removes containers and networks with our labels that are in no table. Resolves to how many containers. */
  async #removeStrays(): Promise<number> {
    const found = await this.#engine.list(labelList(this.#owner))
    const strays = found.filter(({ id, labels }) => {
      if (labels['sluice.life'] !== this.#life) return true
      return !this.#containers.has(id) && !this.#isBeingMade(labels['sluice.name'] ?? '')
    })
    const results = await Promise.allSettled(strays.map(({ id }) => this.#engine.remove(id)))
    await this.#networks.removeOthers()
    for (const result of results) if (result.status === 'rejected') throw result.reason
    return strays.length
  }

  #isBeingMade(name: string): boolean {
    return this.#creating.has(`${name.replace(/[^A-Za-z0-9_.-]/g, '')}_${this.#life}`)
  }

  #lifeLabels(): string[] {
    return labelList({ ...this.#owner, 'sluice.life': this.#life })
  }
}

/** What a container has beside itself. */
type Resources = {
  readonly place: NetworkPlace | undefined
  readonly sockets: SocketDirectory | undefined
  /** Its runtime passes calls of the API on to the hub's socket. */
  readonly door: boolean
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

function labelList(labels: Readonly<Record<string, string>>): string[] {
  return Object.entries(labels).map(([name, value]) => `${name}=${value}`)
}

/** Short, and without characters that mean something to the engine. */
function digest(text: string): string {
  return createHash('sha256').update(text).digest('hex').slice(0, 16)
}
