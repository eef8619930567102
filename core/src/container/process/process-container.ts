import { spawn, type ChildProcess } from 'node:child_process'
import { rm } from 'node:fs/promises'
import { bounds, SluiceError } from '../../model/index.ts'
import type { Clock, Container, ContainerExit, ContainerSpec, Labels, LogStream, Logger } from '../../spi/index.ts'
import { ContainerLog, type OutputStream } from '../output/container-log.ts'
import { isHeapExhausted, Tail } from '../output/exit-cause.ts'
import type { MemoryWatch, Watched } from './memory-watch.ts'
import { familyMembers, killUntilGone, send } from './process-family.ts'
import type { ProcessTable } from './process-table.ts'

/** What to start, and where. */
export type Launch = {
  readonly command: string
  readonly args: readonly string[]
  readonly env: Readonly<Record<string, string>>
  /** Removed when the container is gone; holds the working directory and the socket. */
  readonly directory: string
  readonly workingDirectory: string
  readonly socketPath: string
  readonly marker: string
}

export type ContainerSupport = {
  readonly clock: Clock
  readonly log: Logger
  readonly table: ProcessTable
  readonly watch: MemoryWatch
}

/**
 * A container that is a process group of this machine. Its life:
 *
 *   spawned -> running <-> suspended -> leader has exited -> family killed, directory removed
 *
 * However the leader ends, the rest of its family is ended too.
 */
export class ProcessContainer implements Container, Watched {
  readonly id: string
  readonly name: string
  readonly labels: Labels
  readonly endpoint: { socketPath: string }
  readonly exited: Promise<ContainerExit>
  readonly marker: string
  readonly leader: number
  readonly memoryBytesMax: number
  readonly followers = new Map<number, string>()

  readonly #child: ChildProcess
  readonly #directory: string
  readonly #support: ContainerSupport
  readonly #log: ContainerLog
  readonly #stderrTail = new Tail()
  /** Resolves as soon as the leader is reaped, before its last output was read. */
  readonly #reaped: Promise<void>
  #leaderGone = false
  #suspended = false
  #outOfMemory = false
  #destroyed: Promise<void> | undefined

  private constructor(id: string, spec: ContainerSpec, launch: Launch, child: ChildProcess, support: ContainerSupport) {
    this.id = id
    this.name = spec.name
    this.labels = spec.labels
    this.endpoint = { socketPath: launch.socketPath }
    this.marker = launch.marker
    this.leader = child.pid ?? 0
    this.memoryBytesMax = spec.memoryMb * 1024 * 1024
    this.#directory = launch.directory
    this.#child = child
    this.#support = support
    this.#log = new ContainerLog(support.clock)
    this.#collect('stdout')
    this.#collect('stderr')
    let reaped: () => void = () => undefined
    this.#reaped = new Promise<void>(resolve => (reaped = resolve))
    this.exited = new Promise<ContainerExit>(resolve => {
      child.once('exit', (code, signal) => {
        this.#onExit()
        reaped()
        void this.#readLastOutput().then(() => {
          const oom = this.#outOfMemory || isHeapExhausted({ code, signal }, this.#stderrTail)
          resolve({ code, oom, ...(signal !== null && { signal }) })
        })
      })
    })
    child.on('error', error => support.log.warn({ err: error, container: this.name }, 'container process'))
  }

  /** Resolves once the process exists. Rejects with SLUICE_CONTAINER_START. */
  static async start(
    id: string,
    spec: ContainerSpec,
    launch: Launch,
    support: ContainerSupport,
  ): Promise<ProcessContainer> {
    const failed = (cause: unknown) =>
      new SluiceError('SLUICE_CONTAINER_START', `The process of container ${spec.name} could not be started.`, {
        cause,
      })
    let child: ChildProcess
    try {
      child = spawn(launch.command, launch.args, {
        cwd: launch.workingDirectory,
        env: launch.env,
        detached: true,
        stdio: ['ignore', 'pipe', 'pipe'],
      })
    } catch (error) {
      throw failed(error)
    }
    if (child.pid === undefined) throw failed(await new Promise(resolve => child.once('error', resolve)))
    const container = new ProcessContainer(id, spec, launch, child, support)
    support.watch.add(container)
    return container
  }

  get suspended(): boolean {
    return this.#suspended
  }

  get logs(): LogStream {
    return this.#log
  }

  /** False once its processes are being ended or have ended. */
  get running(): boolean {
    return !this.#leaderGone && this.#destroyed === undefined
  }

  /** The invoker's table knows what a stem cell became; there is nothing to tell the process. */
  async assign(_namespace: string, _action: string): Promise<void> {}

  async suspend(): Promise<void> {
    this.#signalAll('SIGSTOP')
    this.#suspended = true
  }

  async resume(): Promise<void> {
    this.#suspended = false
    this.#signalAll('SIGCONT')
  }

  destroy(): Promise<void> {
    this.#destroyed ??= this.#end()
    return this.#destroyed
  }

  /** Kills the group at once, without looking for strays: for the last moment of the hub's process. */
  kill(): void {
    if (!this.#leaderGone) send(-this.leader, 'SIGKILL')
  }

  exceeded(limit: 'memory' | 'processes'): void {
    this.#outOfMemory ||= limit === 'memory'
    this.#support.log.warn({ container: this.name, limit }, 'container is over its limit and is ended')
    // Its first step stops the group at once, so that it takes nothing more while its family is looked up.
    void this.destroy()
  }

  #collect(stream: OutputStream): void {
    const source = this.#child[stream]
    source?.on('data', (chunk: Buffer) => {
      if (stream === 'stderr') this.#stderrTail.push(chunk)
      this.#log.push(stream, chunk)
    })
    source?.on('error', () => undefined)
  }

  #signalAll(signal: 'SIGSTOP' | 'SIGCONT'): void {
    if (!this.running || !send(-this.leader, signal)) {
      throw new SluiceError('SLUICE_CONTAINER_LOST', `Container ${this.name} is gone.`)
    }
    for (const pid of this.followers.keys()) send(pid, signal)
  }

  #onExit(): void {
    // The group's id is safe to use until now: later it may be another's.
    send(-this.leader, 'SIGKILL')
    this.#leaderGone = true
    this.#support.watch.remove(this)
    void this.destroy()
  }

  /** What lies in the pipes when the leader has gone; strays that hold a pipe open are not waited for. */
  async #readLastOutput(): Promise<void> {
    await new Promise<void>(resolve => {
      const timer = this.#support.clock.setTimer(bounds.container.exitDrainMs, resolve)
      this.#child.once('close', () => {
        timer.cancel()
        resolve()
      })
    })
    this.#child.stdout?.destroy()
    this.#child.stderr?.destroy()
    this.#log.end()
  }

  async #end(): Promise<void> {
    const { log, watch } = this.#support
    watch.remove(this)
    const left = await this.#endFamily().catch((error: unknown) => {
      log.error({ err: error, container: this.name }, 'processes of a container could not be looked up')
      return 0
    })
    if (left > 0) log.error({ container: this.name, processes: left }, 'processes of a container do not end')
    await rm(this.#directory, { recursive: true, force: true, maxRetries: 2 }).catch((error: unknown) =>
      log.warn({ err: error, container: this.name }, 'the directory of a container could not be removed'),
    )
  }

  async #reapedOr(timeoutMs: number): Promise<void> {
    await new Promise<void>(resolve => {
      const timer = this.#support.clock.setTimer(timeoutMs, resolve)
      void this.#reaped.then(() => {
        timer.cancel()
        resolve()
      })
    })
  }

  async #endFamily(): Promise<number> {
    const { table, clock } = this.#support
    const leader = () => (this.#leaderGone ? undefined : this.leader)
    const members = (processes: Parameters<typeof familyMembers>[0]) =>
      familyMembers(processes, { marker: this.marker, leader: leader(), known: this.followers })
    // While the group stands still, the parents are there to tell whose child a stray is.
    if (!this.#leaderGone) send(-this.leader, 'SIGSTOP')
    try {
      for (const { pid, started } of members(await table.list())) this.followers.set(pid, started)
    } finally {
      if (!this.#leaderGone) send(-this.leader, 'SIGKILL')
    }
    await this.#reapedOr(bounds.container.destroyMs)
    return killUntilGone(table, clock, members)
  }
}
