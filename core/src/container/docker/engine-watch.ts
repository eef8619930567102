import type { Readable } from 'node:stream'
import { bounds } from '../../model/index.ts'
import type { Clock, Logger } from '../../spi/index.ts'
import type { Engine, EngineEvent } from './engine.ts'

export type EngineWatchOptions = {
  readonly engine: Engine
  readonly clock: Clock
  readonly log: Logger
  /** Only events of containers with these labels. */
  readonly labels: readonly string[]
  readonly onEvent: (event: EngineEvent) => void
  /** The engine answers again after it did not: whatever happened meanwhile told nobody. */
  readonly onReturn: () => void
}

/**
 * Listens to the engine's events; while that stream stands, the engine is there. When it breaks the engine is asked until
 * it answers.
 */
export class EngineWatch {
  readonly #options: EngineWatchOptions
  readonly #closing = new AbortController()
  #stream: Readable | undefined
  #heardAgain: () => void = () => undefined
  #answer: Promise<void> | undefined
  #up = false
  #gaps = 0

  constructor(options: EngineWatchOptions) {
    this.#options = options
  }

  get up(): boolean {
    return this.#up
  }

  /** How often events could not be heard for a while. What happened then is told by nobody. */
  get gaps(): number {
    return this.#gaps
  }

  /** Resolves when events are heard; rejects with an EngineError when the engine does not answer now. */
  async start(): Promise<void> {
    await this.#listen()
  }

  /** Resolves when the engine answers: at once while it is there. Never, once the watch is closed. */
  back(): Promise<void> {
    this.#answer ??= this.#answers().finally(() => (this.#answer = undefined))
    return this.#answer
  }

  close(): void {
    this.#closing.abort()
    this.#stream?.destroy()
    this.#heardAgain = () => undefined
  }

  async #answers(): Promise<void> {
    const { engine, clock } = this.#options
    for (;;) {
      if (!this.#up) await new Promise<void>(resolve => (this.#heardAgain = resolve))
      // One that is being stopped takes no calls any more, but may be heard until its last container is gone.
      const answered = await engine.ping().then(
        () => true,
        () => false,
      )
      if (answered) return
      await clock.sleep(bounds.docker.returnLookMs, this.#closing.signal).catch(() => undefined)
    }
  }

  async #listen(): Promise<void> {
    const { engine, labels, onEvent } = this.#options
    const stream = await engine.events(labels, ['oom', 'kill', 'die'])
    if (this.#closing.signal.aborted) return void stream.destroy()
    this.#stream = stream
    let rest = ''
    stream.on('data', (chunk: Buffer) => {
      const lines = (rest + chunk.toString()).split('\n')
      rest = (lines.pop() ?? '').slice(0, bounds.docker.eventLineBytesMax)
      for (const line of lines) {
        const event = eventOf(line)
        if (event) onEvent(event)
      }
    })
    stream.on('error', () => undefined)
    stream.once('close', () => void this.#lost())
    this.#up = true
    this.#heardAgain()
  }

  async #lost(): Promise<void> {
    this.#up = false
    this.#gaps++
    const { clock, log, onReturn } = this.#options
    const { signal } = this.#closing
    if (signal.aborted) return
    log.warn({}, 'the container engine has gone away')
    for (;;) {
      try {
        await clock.sleep(bounds.docker.returnLookMs, signal)
        await this.#listen()
        break
      } catch {
        if (signal.aborted) return
      }
    }
    log.warn({}, 'the container engine is back')
    onReturn()
  }
}

function eventOf(line: string): EngineEvent | undefined {
  if (line.trim() === '') return undefined
  try {
    const { id, Action, Actor } = JSON.parse(line) as {
      id?: string
      Action?: string
      Actor?: { ID?: string; Attributes?: { signal?: string } }
    }
    const found = Actor?.ID ?? id
    const signal = Number(Actor?.Attributes?.signal)
    if (found === undefined || Action === undefined) return undefined
    return { id: found, action: Action, ...(signal > 0 ? { signal } : {}) }
  } catch {
    return undefined
  }
}
