import { createHash } from 'node:crypto'
import { bounds, SluiceError } from '../../model/index.ts'
import type { Clock, ContainerFactory, Labels, Logger, Random } from '../../spi/index.ts'
import { CleanupGate } from '../ownership/cleanup-gate.ts'
import { ownerNote } from '../ownership/owner.ts'
import { ContainerDirectories } from './directories.ts'
import { containerEnvironment } from './environment.ts'
import { MemoryWatch } from './memory-watch.ts'
import { createProcProcessTable } from './proc-process-table.ts'
import { ProcessContainer } from './process-container.ts'
import { killUntilGone } from './process-family.ts'
import { shareLists, type ProcessTable } from './process-table.ts'
import { createPsProcessTable } from './ps-process-table.ts'
import { Watchdog } from './watchdog.ts'

/** How the runtime of a kind is started as a process. It has to listen on the unix socket `SLUICE_LISTEN`. */
export type ProcessRuntime = {
  /** Absolute path of the program. */
  readonly command: string
  /** Its arguments, with the language's own switch for the action's memory in MiB. */
  args(memoryMb: number): readonly string[]
}

export type ProcessContainerFactoryOptions = {
  /** By kind, as actions store it (`nodejs:20`). */
  readonly runtimes: Readonly<Record<string, ProcessRuntime>>
  /** This invoker's number. */
  readonly invoker: number
  /** Names the data directory over restarts: what an earlier process with the same two left behind is ours to end. */
  readonly installation: string
  readonly clock: Clock
  readonly random: Random
  readonly log: Logger
  /** Where containers' directories are made; the system's temporary directory unless given or when its path is too
   *  long for a unix socket. */
  readonly directory?: string
  /** For tests: the process that needs these directories (`ownerNote`); this one unless given. */
  readonly note?: string
  /** How often memory is looked at, in ms. */
  readonly memorySampleMs?: number
  /** For tests; `/proc` on Linux, `ps` elsewhere. */
  readonly processTable?: ProcessTable
}

export type ProcessContainerFactory = ContainerFactory & {
  /** Kills all containers without waiting: for a handler of the process's `exit`, where nothing can be awaited. */
  killNow(): void
}

/**
 * Containers that are plain processes of the hub's user: isolation for development, nothing more (docs/security.md). Each
 * is a process group with its own working directory, a closed environment and a watched memory limit. They cannot outlive
 * the hub in a useful way (their output has no reader): a watchdog ends them with it, however it goes, and `cleanup` ends
 * what an earlier one left behind all the same; `list` knows only its own.
 */
export function createProcessContainerFactory(options: ProcessContainerFactoryOptions): ProcessContainerFactory {
  const { runtimes, clock, random, log } = options
  const table = shareLists(options.processTable ?? createSystemProcessTable())
  const sampleMs = options.memorySampleMs ?? bounds.container.memorySampleMs
  const watch = new MemoryWatch({ table, clock, log, sampleMs })
  const owner = `${digest(options.installation)}.${options.invoker}.`
  const life = `${owner}${random.hexId()}.`
  const directories = new ContainerDirectories(owner, options.note ?? ownerNote(), options.directory)
  const watchdog = new Watchdog(life, log)
  const containers = new Set<ProcessContainer>()
  const gate = new CleanupGate()
  let count = 0
  let closed = false
  let cleaning: Promise<unknown> = Promise.resolve()

  /** Ends what earlier lives left; resolves to how many containers that were. */
  async function endOthers(): Promise<number> {
    const markers = new Set<string>()
    const left = await killUntilGone(table, clock, processes => {
      const strays = processes.filter(({ marker }) => marker?.startsWith(owner) && !marker.startsWith(life))
      for (const { marker } of strays) markers.add(marker ?? '')
      return strays
    })
    if (left > 0) log.error({ processes: left }, 'processes of an earlier start do not end')
    await directories.removeOthers()
    return markers.size
  }

  return {
    capabilities: { pause: process.platform !== 'win32', isolation: 'process' },

    supports: kind => Object.hasOwn(runtimes, kind),

    async create(spec, signal, begins) {
      await gate.pass(signal)
      begins?.()
      if (closed) throw new SluiceError('SLUICE_CLOSED', 'The container factory is closed.')
      const runtime = Object.hasOwn(runtimes, spec.kind) ? runtimes[spec.kind] : undefined
      if (!runtime)
        throw new SluiceError('SLUICE_CONTAINER_START', `No runtime of kind '${spec.kind}' runs as a process.`)
      const marker = `${life}${++count}`
      const place = await directories.create(count).catch((error: unknown) => {
        const message = `The directory of container ${spec.name} could not be made.`
        throw new SluiceError('SLUICE_CONTAINER_START', message, { cause: error })
      })
      const { command } = runtime
      const { workingDirectory, socketPath } = place
      const env = containerEnvironment({ given: spec.env, command, directory: workingDirectory, socketPath, marker })
      const launch = { command, args: runtime.args(spec.memoryMb), env, marker, ...place }
      const container = await ProcessContainer.start(random.hexId(), spec, launch, { clock, log, table, watch })
      containers.add(container)
      watchdog.add(container.leader)
      void container.exited.then(() => watchdog.remove(container.leader))
      void container.exited.then(() => container.destroy()).then(() => containers.delete(container))
      if (signal.aborted || closed) {
        await container.destroy()
        signal.throwIfAborted()
        throw new SluiceError('SLUICE_CLOSED', 'The container factory is closed.')
      }
      return container
    },

    async list(labels) {
      return [...containers].filter(container => container.running && hasLabels(container.labels, labels))
    },

    cleanup() {
      const ended = gate.hold(endOthers())
      cleaning = Promise.allSettled([cleaning, ended.catch(() => undefined).then(() => directories.removeAbandoned())])
      return ended
    },

    async close() {
      closed = true
      await Promise.all([...containers].map(container => container.destroy()))
      watchdog.close()
      await cleaning
      await directories.close()
    },

    killNow() {
      for (const container of containers) container.kill()
    },
  }
}

function createSystemProcessTable(): ProcessTable {
  return process.platform === 'linux' ? createProcProcessTable() : createPsProcessTable()
}

function hasLabels(labels: Labels, wanted: Labels): boolean {
  return Object.entries(wanted).every(([name, value]) => labels[name] === value)
}

/** Short, and without the characters that mean something in a marker. */
function digest(text: string): string {
  return createHash('sha256').update(text).digest('hex').slice(0, 16)
}
