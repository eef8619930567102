import type { Duplex, Readable } from 'node:stream'
import type Dockerode from 'dockerode'
import { bounds } from '../../model/index.ts'
import type { Clock } from '../../spi/index.ts'
import { EngineError, engineError, isMissing } from './engine-error.ts'

/** Where the engine listens: a unix socket, or TCP. */
export type EngineAddress = { readonly socketPath: string } | { readonly host: string; readonly port: number }

export type EngineInfo = {
  readonly version: string
  readonly pause: boolean
  readonly cgroups: number
  readonly runc: string
  readonly runtimes: readonly string[]
  readonly securityOptions: readonly string[]
}
export type ContainerState = {
  running: boolean
  code: number | null
  oom: boolean
  address: string
  publishedPort: number
}
export type ListedContainer = {
  id: string
  running: boolean
  labels: Readonly<Record<string, string>>
  networks: readonly string[]
}
export type ImageFacts = {
  readonly id: string
  readonly labels: Readonly<Record<string, string>>
  /** Paths that it declares as volumes. */
  readonly volumes: readonly string[]
}
export type NetworkFacts = {
  readonly id: string
  readonly name: string
  readonly subnets: readonly string[]
  readonly labels: Readonly<Record<string, string>>
}
/** `signal`: number of the one that a `kill` sent. */
export type EngineEvent = { readonly id: string; readonly action: string; readonly signal?: number }
export type PullProgress = { readonly status?: string; readonly error?: string }
export type RegistryAuth = {
  readonly username: string
  readonly password: string
  readonly serveraddress: string
}

/** The calls of the Engine API that containers need. Each ends within its time limit (bounds.docker) and rejects with an
 *  EngineError. */
export type Engine = {
  /** Whether it is on this machine, as far as one can tell by its address. */
  readonly local: boolean
  ping(): Promise<void>
  info(): Promise<EngineInfo>
  createContainer(settings: Dockerode.ContainerCreateOptions, signal?: AbortSignal): Promise<string>
  /** Output of both streams in frames, from now on. To be called before `start`, so that nothing is missed. */
  attach(id: string): Promise<Duplex>
  start(id: string, signal?: AbortSignal): Promise<void>
  state(id: string): Promise<ContainerState>
  /** Kills and removes it with its anonymous volumes. One that is not there (any more) is success. */
  remove(id: string): Promise<void>
  kill(id: string): Promise<void>
  pause(id: string): Promise<void>
  unpause(id: string): Promise<void>
  /** All containers with these labels, running or not. */
  list(labels: readonly string[]): Promise<ListedContainer[]>
  /** Events of containers with these labels as JSON lines, until the engine goes or the stream is destroyed. */
  events(labels: readonly string[], actions: readonly string[]): Promise<Readable>
  /** Whether an image brings anything below a path. Looks into a container that is never started, with these labels. */
  brings(image: string, path: string, labels: Readonly<Record<string, string>>): Promise<boolean>
  /** Rejects with status 404 when the engine does not have the image. */
  image(name: string): Promise<ImageFacts>
  /** Resolves when the pull is through; rejects when it fails, is silent for too long or over its budget. */
  pull(name: string, auth: RegistryAuth | undefined, progress: (step: PullProgress) => void): Promise<void>
  createNetwork(options: Dockerode.NetworkCreateOptions): Promise<string>
  networks(labels: readonly string[]): Promise<NetworkFacts[]>
  removeNetwork(id: string): Promise<void>
  connect(network: string, container: string): Promise<void>
}

/** Opens a client; nothing is sent yet. */
export async function openEngine(address: EngineAddress, clock: Clock): Promise<Engine> {
  // 150 ms and 50 packages that a hub without Docker need not load.
  const { default: Docker } = await import('dockerode')
  const docker = new Docker('socketPath' in address ? address : { ...address, protocol: 'http' })
  // Its types know only callbacks here.
  const untyped = docker as unknown as Record<'ping' | 'info', (options: object) => Promise<Info>>
  const limits = bounds.docker

  /** One call with a time limit. The race is needed: not every call of dockerode ends when its signal aborts. */
  async function call<T>(
    what: string,
    limitMs: number,
    begin: (abortSignal: AbortSignal) => Promise<T>,
    signal?: AbortSignal,
  ): Promise<T> {
    signal?.throwIfAborted()
    const cut = new AbortController()
    let stop: (error: Error) => void = () => undefined
    const stopped = new Promise<never>((_resolve, reject) => {
      stop = error => {
        reject(error)
        cut.abort(error)
      }
    })
    stopped.catch(() => undefined)
    const late = new EngineError('late', `${what}: the container engine did not answer within ${limitMs} ms`)
    const timer = clock.setTimer(limitMs, () => stop(late))
    const abort = (): void => stop(signal?.reason instanceof Error ? signal.reason : new Error('aborted'))
    signal?.addEventListener('abort', abort, { once: true })
    try {
      const begun = begin(cut.signal)
      begun.catch(() => undefined)
      return await Promise.race([begun, stopped])
    } catch (error) {
      signal?.throwIfAborted()
      throw engineError(what, error)
    } finally {
      timer.cancel()
      signal?.removeEventListener('abort', abort)
    }
  }

  return {
    local: 'socketPath' in address,
    async ping() {
      await call('ping', limits.pingMs, abortSignal => untyped.ping({ abortSignal }))
    },
    async info() {
      const found = await call('info', limits.lookMs, abortSignal => untyped.info({ abortSignal }))
      return infoOf(found)
    },
    async createContainer(settings, signal) {
      const created = await call(
        'create container',
        limits.startMs,
        abortSignal => docker.createContainer(apart(settings, abortSignal, { name: settings.name })),
        signal,
      )
      if (!/^[0-9a-f]{64}$/.test(created.id))
        throw new EngineError('refused', 'create container: no valid id came back')
      return created.id
    },
    attach(id) {
      const how = { stream: true, stdout: true, stderr: true, hijack: true }
      return call('attach', limits.lookMs, () => docker.getContainer(id).attach(how)) as Promise<Duplex>
    },
    async start(id, signal) {
      await call('start', limits.startMs, abortSignal => docker.getContainer(id).start({ abortSignal }), signal)
    },
    async state(id) {
      const found = await call('inspect', limits.lookMs, abortSignal =>
        docker.getContainer(id).inspect({ abortSignal }),
      )
      const [network] = Object.values(found.NetworkSettings.Networks)
      const { Running, ExitCode, OOMKilled, StartedAt } = found.State
      const [published] = Object.values(found.NetworkSettings.Ports ?? {}).flatMap(bindings => bindings ?? [])
      const started = !StartedAt.startsWith('0001-')
      return {
        running: Running,
        code: Running || !started ? null : ExitCode,
        oom: OOMKilled,
        address: network?.IPAddress ?? '',
        publishedPort: Number(published?.HostPort ?? 0),
      }
    },
    async remove(id) {
      const how = { force: true, v: true }
      await call('remove', limits.removeMs, abortSignal =>
        docker.getContainer(id).remove({ ...how, abortSignal }),
      ).catch((error: unknown) => {
        const { status, message } = error as EngineError
        if (status !== 404 && !(status === 409 && message.includes('already in progress'))) throw error
      })
    },
    async kill(id) {
      await call('kill', limits.lookMs, abortSignal => docker.getContainer(id).kill({ abortSignal }))
    },
    async pause(id) {
      await call('pause', limits.pauseMs, abortSignal => docker.getContainer(id).pause({ abortSignal }))
    },
    async unpause(id) {
      await call('unpause', limits.pauseMs, abortSignal => docker.getContainer(id).unpause({ abortSignal }))
    },
    async list(labels) {
      const found = await call('list', limits.listMs, abortSignal =>
        docker.listContainers({ all: true, filters: { label: [...labels] }, abortSignal }),
      )
      return found.map(({ Id, State, Labels, NetworkSettings }) => ({
        id: Id,
        running: State === 'running' || State === 'paused',
        labels: Labels,
        networks: Object.values(NetworkSettings.Networks).map(network => network.NetworkID),
      }))
    },
    events(labels, actions) {
      const filters = { type: ['container' as const], label: [...labels], event: [...actions] }
      return call('events', limits.lookMs, () => docker.getEvents({ filters })) as Promise<Readable>
    },
    async image(name) {
      const found = await call('image', limits.lookMs, abortSignal =>
        docker.getImage(name).inspect(withSignal({ abortSignal })),
      )
      const { Labels, Volumes } = found.Config
      return { id: found.Id, labels: Labels ?? {}, volumes: Object.keys(Volumes ?? {}) }
    },
    async brings(image, path, labels) {
      const HostConfig = { NetworkMode: 'none' }
      const settings = { Image: image, Cmd: ['none'], Labels: { ...labels }, HostConfig, NetworkDisabled: true }
      const container = await call('look into image', limits.startMs, abortSignal =>
        docker.createContainer({ ...settings, abortSignal }),
      )
      try {
        const archive = await call('look into image', limits.lookMs, () => container.getArchive({ path }))
        return await hasSecondEntry(archive as Readable)
      } catch (error) {
        if (isMissing(error)) return false
        throw error
      } finally {
        await call('remove', limits.removeMs, abortSignal =>
          container.remove({ force: true, v: true, abortSignal }),
        ).catch(() => undefined)
      }
    },
    async pull(name, auth, progress) {
      const options = auth === undefined ? {} : { authconfig: auth }
      const stream = (await call(`pull ${name}`, limits.pullSilenceMs, () => docker.pull(name, options))) as Readable
      await followPull(name, stream, clock, progress)
    },
    async createNetwork(options) {
      const { id } = await call('create network', limits.startMs, abortSignal =>
        docker.createNetwork(apart(options, abortSignal)),
      )
      return id
    },
    async networks(labels) {
      const found = await call('networks', limits.listMs, abortSignal =>
        docker.listNetworks({ filters: { label: [...labels] }, abortSignal }),
      )
      return found.map(({ Id, Name, IPAM, Labels }) => ({
        id: Id,
        name: Name,
        subnets: (IPAM?.Config ?? []).flatMap(({ Subnet }) => Subnet ?? []),
        labels: Labels ?? {},
      }))
    },
    async removeNetwork(id) {
      await call('remove network', limits.removeMs, abortSignal => docker.getNetwork(id).remove({ abortSignal })).catch(
        (error: unknown) => {
          if ((error as EngineError).status !== 404) throw error
        },
      )
    },
    async connect(network, container) {
      await call('connect network', limits.startMs, abortSignal =>
        docker.getNetwork(network).connect(withSignal({ Container: container, abortSignal })),
      )
    },
  }
}

/** dockerode writes the whole body into the query as well, where it would meet logs and length limits, unless it is given
 *  both apart. */
function apart<T extends object>(body: T, abortSignal: AbortSignal, query: object = {}): T {
  return { _query: query, _body: body, abortSignal } as unknown as T
}

/** dockerode takes a signal with every call; its types do not say so of all. */
function withSignal<T extends object>(options: T): Omit<T, 'abortSignal'> {
  return options
}

type Info = {
  ServerVersion?: string
  CgroupVersion?: string
  CgroupDriver?: string
  RuncCommit?: { ID?: string }
  Runtimes?: Record<string, unknown>
  SecurityOptions?: string[] | null
}

function infoOf(info: Info): EngineInfo {
  const cgroups = Number(info.CgroupVersion ?? 1)
  const securityOptions = info.SecurityOptions ?? []
  const rootless = securityOptions.some(option => option.includes('name=rootless'))
  return {
    version: info.ServerVersion ?? 'unknown',
    // A rootless engine has the freezer only with cgroups 2.
    pause: info.CgroupDriver !== 'none' && !(rootless && cgroups < 2),
    cgroups,
    runc: info.RuncCommit?.ID ?? '',
    runtimes: Object.keys(info.Runtimes ?? {}),
    securityOptions,
  }
}

const tarBlockBytes = 512

/** Whether a tar archive of a folder has more in it than the folder itself. Reads no further than that. */
async function hasSecondEntry(archive: Readable): Promise<boolean> {
  let head = Buffer.alloc(0)
  for await (const chunk of archive) {
    head = Buffer.concat([head, chunk as Buffer])
    if (head.length >= 2 * tarBlockBytes) break
  }
  return head.subarray(tarBlockBytes, 2 * tarBlockBytes).some(byte => byte !== 0)
}

/** Reads the progress of a pull to its end. */
async function followPull(
  name: string,
  stream: Readable,
  clock: Clock,
  progress: (step: PullProgress) => void,
): Promise<void> {
  const { pullMs, pullSilenceMs, pullLineBytesMax } = bounds.docker
  const end = (reason: string) => () => stream.destroy(new EngineError('late', `pull ${name}: ${reason}`))
  const budget = clock.setTimer(pullMs, end(`not done within ${pullMs} ms`))
  let silence = clock.setTimer(pullSilenceMs, end(`no progress for ${pullSilenceMs} ms`))
  try {
    let rest = ''
    for await (const chunk of stream) {
      silence.cancel()
      silence = clock.setTimer(pullSilenceMs, end(`no progress for ${pullSilenceMs} ms`))
      const lines = (rest + String(chunk)).split('\n')
      rest = (lines.pop() ?? '').slice(0, pullLineBytesMax)
      for (const line of lines) {
        if (line.trim() === '') continue
        const step = JSON.parse(line) as PullProgress
        if (step.error !== undefined) throw new EngineError('refused', `pull ${name}: ${step.error.slice(0, 500)}`, 500)
        progress(step)
      }
    }
  } catch (error) {
    throw engineError(`pull ${name}`, error)
  } finally {
    budget.cancel()
    silence.cancel()
    stream.destroy()
  }
}
