import type Dockerode from 'dockerode'
import { bounds } from '../../model/index.ts'
import { mountPoint } from './socket-directories.ts'

/** Everything in which one container may differ from another (reliability.md S12). Nothing of it is taken from a request
 *  but the values of `env` and the names in `labels`, and those are data to the engine. */
export type ContainerParameters = {
  /** Unique on this engine. */
  readonly name: string
  readonly image: string
  readonly labels: Readonly<Record<string, string>>
  readonly env: Readonly<Record<string, string>>
  readonly memoryMb: number
  readonly cpuShares: number
  /** `none` or the name of one of our own networks. */
  readonly network: string
  /** The hub's directory of sockets for this container, if it has one. */
  readonly socketDirectory?: string
  /** Paths that the image declares as volumes: they become small tmpfs, never volumes on the engine's disk. */
  readonly volumes: readonly string[]
  /** A file system in memory at /action; without it /action is as the image has it, and cannot be written. */
  readonly action: boolean
  /** Publish port 8080 on the hub's loopback, at a free port: where container addresses cannot be reached. */
  readonly publish: boolean
}

/** What an operator decided for all containers. */
export type ContainerDefaults = {
  /** Numeric `uid:gid`. */
  readonly user: string
  readonly dns: readonly string[]
  readonly dnsSearch: readonly string[]
  readonly dnsOptions: readonly string[]
  /** Further variables of every container. */
  readonly extraEnv?: Readonly<Record<string, string>>
  /** Another runtime of the engine, such as a sandboxed one. */
  readonly runtime?: string
  readonly tmpMb: number
  readonly actionMb: number
}

/** The port that runtimes listen on when they have no socket (runtimes.md §1.1). */
export const runtimePort = 8080

/**
 * What the engine is asked to create: the baseline of reliability.md §5.2 with the exceptions of design.md §7 (`/tmp`
 * noexec, `/action` with exec, the hub's own socket mounted). Names what it wants even where the engine has the same
 * default, so that an engine set up otherwise changes nothing. The default system-call filter stays: it is not named.
 */
export function containerSettings(
  parameters: ContainerParameters,
  defaults: ContainerDefaults,
): Dockerode.ContainerCreateOptions {
  const { name, image, labels, env, memoryMb, cpuShares, network, socketDirectory, volumes, action, publish } =
    parameters
  const memoryBytes = memoryMb * 1024 * 1024
  const port = `${runtimePort}/tcp`
  const [uid, gid] = defaults.user.split(':')
  const hostConfig: Dockerode.HostConfig & { CgroupnsMode: string } = {
    NetworkMode: network,
    ReadonlyRootfs: true,
    Privileged: false,
    CapDrop: ['ALL'],
    CapAdd: [],
    SecurityOpt: ['no-new-privileges:true'],
    PidsLimit: bounds.container.processesMax,
    Memory: memoryBytes,
    MemorySwap: memoryBytes,
    OomKillDisable: false,
    CpuShares: cpuShares,
    Ulimits: [
      { Name: 'nofile', Soft: 1024, Hard: 1024 },
      { Name: 'core', Soft: 0, Hard: 0 },
    ],
    Tmpfs: {
      ...Object.fromEntries(volumes.map(path => [path, 'rw,noexec,nosuid,nodev,mode=1777,size=16m,nr_inodes=4096'])),
      '/tmp': `rw,noexec,nosuid,nodev,mode=1777,size=${defaults.tmpMb}m,nr_inodes=16384`,
      ...(action
        ? {
            '/action': `rw,exec,nosuid,nodev,mode=0700,uid=${uid},gid=${gid},size=${defaults.actionMb}m,nr_inodes=65536`,
          }
        : {}),
    },
    ShmSize: 16 * 1024 * 1024,
    IpcMode: 'private',
    PidMode: '',
    UTSMode: '',
    UsernsMode: '',
    CgroupnsMode: 'private',
    Binds: null as unknown as undefined,
    Devices: [],
    GroupAdd: [],
    Links: [],
    ExtraHosts: [],
    Dns: [...defaults.dns],
    DnsSearch: [...defaults.dnsSearch],
    DnsOptions: [...defaults.dnsOptions],
    PublishAllPorts: false,
    PortBindings: publish ? { [port]: [{ HostIp: '127.0.0.1', HostPort: '' }] } : {},
    RestartPolicy: { Name: 'no' },
    AutoRemove: false,
    // A first process that reaps, and that a signal from inside can end.
    Init: true,
    // Output is read from the attached stream: nothing of it is kept on the engine's disk.
    LogConfig: { Type: 'none', Config: {} },
    ...(defaults.runtime === undefined ? {} : { Runtime: defaults.runtime }),
    ...(socketDirectory === undefined
      ? {}
      : {
          Mounts: [
            {
              Type: 'bind',
              Source: socketDirectory,
              Target: mountPoint,
              ReadOnly: false,
              BindOptions: { Propagation: 'rprivate' },
            },
          ],
        }),
  }
  return {
    name,
    Image: image,
    User: defaults.user,
    Env: Object.entries(env).map(([key, value]) => `${key}=${value}`),
    Labels: { ...labels },
    Tty: false,
    OpenStdin: false,
    AttachStdin: false,
    AttachStdout: true,
    AttachStderr: true,
    Volumes: {},
    ...(publish ? { ExposedPorts: { [port]: {} } } : {}),
    HostConfig: hostConfig,
  }
}
