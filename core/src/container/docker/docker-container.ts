import { connect } from 'node:net'
import type { Duplex } from 'node:stream'
import { bounds, SluiceError } from '../../model/index.ts'
import type { Clock, Container, ContainerExit, ContainerSpec, Labels, LogStream, Logger } from '../../spi/index.ts'
import { ContainerLog } from '../output/container-log.ts'
import { isHeapExhausted, Tail } from '../output/exit-cause.ts'
import { isAway, isMissing } from './engine-error.ts'
import type { EngineWatch } from './engine-watch.ts'
import type { ContainerState, Engine, EngineEvent } from './engine.ts'
import { OutputFrames } from './output-frames.ts'

export type DockerContainerSupport = {
  readonly engine: Engine
  readonly clock: Clock
  readonly log: Logger
  /** Whether the engine is heard, and when it answers again. */
  readonly watch: Pick<EngineWatch, 'up' | 'gaps' | 'back'>
  /** The freezer refused: nothing more is to be suspended. */
  cannotPause(error: unknown): void
  /** Ends what belongs to the container beside the engine: its directory, its place in a network. */
  letGo(container: DockerContainer): Promise<void>
}

/** Code of a first process that was killed. */
const killedCode = 128 + 9
/** Signals that mean an end to whoever sends them: HUP, INT, QUIT, KILL, TERM. */
const deadlySignals: ReadonlySet<number> = new Set([1, 2, 3, 9, 15])

/**
 * A container of the engine. Its life:
 *
 *   created -> attached -> started <-> paused -> output ended -> engine says how it exited -> removed
 *
 * The end of its output tells that it is gone. When the engine is away then, its own endpoint is asked: a container may
 * outlive a restart of the engine, and is attached to again.
 *
 * It was lost from outside when the engine told of a kill that is not ours, when it is missing although nobody told of its
 * end, and when it ended while the engine was not heard. Everything else is its own doing.
 */
export class DockerContainer implements Container {
  readonly id: string
  readonly name: string
  readonly labels: Labels
  readonly exited: Promise<ContainerExit>
  /** Set once, before anybody but the factory has the container. */
  endpoint: { socketPath: string } | { host: string; port: number } = { host: '', port: 0 }

  readonly #support: DockerContainerSupport
  readonly #log: ContainerLog
  readonly #stderrTail = new Tail()
  #output: Duplex | undefined
  #resolveExit!: (exit: ContainerExit) => void
  #exitKnown = false
  #attached = 0
  #started = false
  #outOfMemory = false
  /** Somebody else had the engine kill it. */
  #killed = false
  /** The engine told that its first process has ended. */
  #died = false
  /** The engine cannot say how it ended. */
  #unaccounted = false
  /** `watch.gaps` when its output was last taken; every event since was heard if it is the same. */
  #gaps = -1
  #onEvent: () => void = () => undefined
  #destroyed: Promise<void> | undefined

  constructor(id: string, spec: ContainerSpec, support: DockerContainerSupport) {
    this.id = id
    this.name = spec.name
    this.labels = spec.labels
    this.#support = support
    this.#log = new ContainerLog(support.clock)
    this.exited = new Promise(resolve => (this.#resolveExit = resolve))
  }

  get logs(): LogStream {
    return this.#log
  }

  get running(): boolean {
    return !this.#exitKnown && this.#destroyed === undefined
  }

  /** Reads its output from now on. Before `start`, so that no byte is missed. */
  async attach(): Promise<void> {
    const { engine, watch } = this.#support
    if (watch.up) this.#gaps = watch.gaps
    const output = await engine.attach(this.id)
    this.#attached++
    const frames = new OutputFrames((stream, part) => {
      if (stream === 'stderr') this.#stderrTail.push(part)
      this.#log.push(stream, part)
    })
    this.#output = output
    output.on('data', (chunk: Buffer) => frames.push(chunk))
    output.on('error', () => undefined)
    output.once('close', () => void this.#outputEnded())
    output.once('end', () => output.destroy())
  }

  async start(signal: AbortSignal): Promise<void> {
    await this.#support.engine.start(this.id, signal)
    this.#started = true
  }

  /** The invoker's table knows what a stem cell became; nothing of the container depends on it. */
  async assign(_namespace: string, _action: string): Promise<void> {}

  async suspend(): Promise<void> {
    this.#mustRun()
    try {
      await this.#support.engine.pause(this.id)
    } catch (error) {
      if (await this.#isGone(error)) throw this.#lost(error)
      if (!isAway(error)) this.#support.cannotPause(error)
      throw error
    }
  }

  async resume(): Promise<void> {
    this.#mustRun()
    try {
      await this.#support.engine.unpause(this.id)
    } catch (error) {
      throw this.#lost(error)
    }
  }

  destroy(): Promise<void> {
    this.#destroyed ??= this.#end()
    return this.#destroyed
  }

  /** Takes an event of the engine. Whatever kills it here is remembered before the engine is asked for it: the other kills
   *  are somebody else's. */
  heard({ action, signal }: EngineEvent): void {
    if (action === 'oom') this.#memoryExhausted()
    else if (action === 'die') this.#died = true
    else if (action === 'kill' && this.running && !this.#outOfMemory && !this.#died)
      this.#killed ||= signal === undefined || deadlySignals.has(signal)
    this.#onEvent()
  }

  /** The engine knows nothing of it any more. */
  missing(): void {
    this.#unaccounted = true
    this.#settleExit(null)
  }

  /** Where only a child was killed, the rest is ended too. */
  #memoryExhausted(): void {
    if (this.#outOfMemory) return
    this.#outOfMemory = true
    void this.#support.engine.kill(this.id).catch(() => undefined)
  }

  #mustRun(): void {
    if (!this.running) throw this.#lost()
  }

  #lost(cause?: unknown): SluiceError {
    return new SluiceError('SLUICE_CONTAINER_LOST', `Container ${this.name} is gone.`, { cause })
  }

  async #isGone(error: unknown): Promise<boolean> {
    if (isMissing(error) || !this.running) return true
    if (isAway(error)) return false
    const state = await this.#support.engine.state(this.id).catch(() => undefined)
    return state !== undefined && !state.running
  }

  async #outputEnded(): Promise<void> {
    const { engine, clock } = this.#support
    while (!this.#exitKnown) {
      try {
        const state = await engine.state(this.id)
        // One that runs again was restarted by somebody: what it knew is gone.
        if (!state.running || this.#died) return await this.#exit(state)
        // The engine was restarted under it, or it closed its streams: then there is no use in haste.
        if (this.#attached > 1) await clock.sleep(bounds.docker.returnLookMs)
        return await this.attach()
      } catch (error) {
        if (isAway(error) && (await this.#outlivesEngine())) continue
        if (!isAway(error)) await this.#explained(null)
        return this.missing()
      }
    }
  }

  /** Resolves to true when the engine is back, to false when the container is gone before that. While the engine is away
   *  nobody can say how it ended; that it did, its own endpoint can. */
  async #outlivesEngine(): Promise<boolean> {
    const { clock, watch } = this.#support
    let back = false
    const returned = watch.back().then(() => (back = true))
    // Soon again, for runs that are waiting to hear of it, then ever more rarely: nobody takes connections of a paused one.
    for (let lookMs: number = bounds.docker.returnLookMs; !back && !this.#exitKnown; lookMs *= 2) {
      if (!(await isListening(this.endpoint, clock))) return false
      const patience = new AbortController()
      await Promise.race([returned, this.exited, clock.sleep(lookMs, patience.signal).catch(() => undefined)])
      patience.abort()
    }
    return true
  }

  async #exit(state: ContainerState): Promise<void> {
    const { code } = state
    this.#outOfMemory ||= state.oom
    await this.#explained(code)
    const heap = isHeapExhausted({ code, signal: null }, this.#stderrTail)
    this.#settleExit(this.#started ? code : null, heap)
  }

  /** Events come beside the engine's answers: waits a moment for those that tell why it ended. */
  async #explained(code: number | null): Promise<void> {
    if (this.#destroyed !== undefined) return
    await this.#until(() => this.#died || !this.#support.watch.up, bounds.docker.dieEventMs)
    // Memory is told from a plain kill by an event that may come after all others.
    if (code === killedCode && !this.#killed) await this.#until(() => this.#outOfMemory, bounds.docker.oomEventMs)
  }

  async #until(met: () => boolean, ms: number): Promise<void> {
    if (met()) return
    await new Promise<void>(resolve => {
      const timer = this.#support.clock.setTimer(ms, resolve)
      this.#onEvent = () => {
        if (!met()) return
        timer.cancel()
        resolve()
      }
    })
  }

  #settleExit(code: number | null, heap = false): void {
    if (this.#exitKnown) return
    this.#exitKnown = true
    const oom = this.#outOfMemory || heap
    const outside = !oom && this.#isLostFromOutside()
    if (outside) this.#support.log.warn({ container: this.name }, 'container was lost from outside')
    this.#log.end()
    this.#resolveExit({ code, oom, ...(outside ? { outside } : {}) })
    void this.destroy()
  }

  #isLostFromOutside(): boolean {
    if (this.#destroyed !== undefined) return false
    if (this.#killed) return true
    return !this.#died && (this.#unaccounted || this.#gaps !== this.#support.watch.gaps)
  }

  async #end(): Promise<void> {
    const { engine, log, clock } = this.#support
    try {
      await engine.remove(this.id)
    } catch (error) {
      // It is in no table any more: reconciliation removes it as soon as the engine does what it is told.
      log.warn({ err: error, container: this.name }, 'container could not be removed; it will be tried again')
    }
    // The rest of its output comes with the end of the stream.
    const patience = new AbortController()
    await Promise.race([this.exited, clock.sleep(bounds.container.exitDrainMs, patience.signal).catch(() => undefined)])
    patience.abort()
    this.missing()
    this.#output?.destroy()
    await this.#support.letGo(this)
  }
}

/** Whether something accepts connections there; a paused container does. With `settleMs`, it also has to keep the
 *  connection so long: at a published port the engine's own proxy accepts before the container does. */
export function isListening(endpoint: Container['endpoint'], clock: Clock, settleMs = 0): Promise<boolean> {
  return new Promise(resolve => {
    const socket = 'socketPath' in endpoint ? connect(endpoint.socketPath) : connect(endpoint.port, endpoint.host)
    let timer = clock.setTimer(bounds.docker.probeMs, () => finish(false))
    const finish = (listening: boolean): void => {
      timer.cancel()
      socket.destroy()
      resolve(listening)
    }
    socket.once('connect', () => {
      if (settleMs === 0) return finish(true)
      timer.cancel()
      timer = clock.setTimer(settleMs, () => finish(true))
    })
    socket.once('error', () => finish(false))
    socket.once('end', () => finish(false))
    socket.resume()
  })
}
