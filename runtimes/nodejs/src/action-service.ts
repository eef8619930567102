import { openActivation, type ActivationScope } from './activation.ts'
import { failure, type Answer } from './answer.ts'
import { exportInitEnvironment } from './environment.ts'
import { LoadError, errorDetails, errorText } from './errors.ts'
import type { Entry, LoadAction } from './load-action.ts'
import type { LogStreams } from './log-streams.ts'
import { messages } from './messages.ts'

export type ActionServiceOptions = {
  readonly logs: LogStreams
  readonly scope: ActivationScope
  /** Whether runs may overlap (`__OW_ALLOW_CONCURRENT`). */
  readonly concurrent: boolean
  readonly load: LoadAction
}

/**
 * The life of one action in one process: initialised once, then run again and again (runtimes.md §1.2, §1.3, §5.1).
 *
 *   ready -> starting -> ready (with an entry), runs from now on
 *                     -> stopped for good
 */
export class ActionService {
  readonly #options: ActionServiceOptions
  #status: 'ready' | 'starting' | 'stopped' = 'ready'
  #entry: Entry | undefined
  #running = 0
  /** Runs of the present batch that have ended; their sentinels follow when the batch is idle (§1.5). */
  #unmarked = 0
  #draining = false

  constructor(options: ActionServiceOptions) {
    this.#options = options
  }

  /** Whether a run or an init has begun and not ended. */
  get busy(): boolean {
    return this.#running > 0 || this.#status === 'starting'
  }

  /** Refuses all that begins from now on with 503, so that the platform takes it elsewhere (§1.1). */
  drain(): void {
    this.#draining = true
  }

  /** Answers `POST /init`; `value` is the field of that name. */
  async init(value: unknown): Promise<Answer> {
    if (this.#draining) return failure(503, messages.shuttingDown)
    if (this.#entry !== undefined) return this.#refuse(messages.initializedAlready)
    if (this.#status !== 'ready') return this.#refuse(messages.notReady(this.#status))
    const { main, code, binary, env } = Object(value) as Record<string, unknown>
    if (typeof main !== 'string' || typeof code !== 'string' || main === '' || code === '') {
      return this.#refuse(messages.missingCode)
    }
    this.#status = 'starting'
    try {
      exportInitEnvironment(env)
      this.#entry = await this.#options.load({ main, code, binary: binary === true })
      this.#status = 'ready'
      return { status: 200, body: '{"OK":true}' }
    } catch (error) {
      this.#status = 'stopped'
      this.#options.logs.error(`Error during initialization: ${errorDetails(error)}`)
      this.#options.logs.mark(1)
      return failure(502, messages.initFailed(error instanceof LoadError ? error.message : errorDetails(error)))
    }
  }

  /** Answers `POST /run`; at once where the action did not return a promise. */
  run(message: Record<string, unknown>): Answer | Promise<Answer> {
    const entry = this.#entry
    if (this.#draining) return failure(503, messages.shuttingDown)
    if (this.#status !== 'ready') return failure(403, messages.notReady(this.#status))
    if (entry === undefined) return failure(403, messages.notInitialized)
    if (this.#running > 0 && !this.#options.concurrent) return failure(403, messages.notReady('running'))
    const value = message['value'] ?? {}
    if (typeof value !== 'object') return failure(403, messages.argumentType(typeof value))

    const activation = openActivation(message)
    this.#running++
    try {
      const result = this.#options.scope.run(activation, () => entry(value, activation.context))
      if (!isThenable(result)) return this.#finish(this.#resultAnswer(result))
      return Promise.resolve(result).then(
        resolved => this.#finish(this.#resultAnswer(resolved)),
        (reason: unknown) => rejectionAnswer(reason).then(answer => this.#finish(answer)),
      )
    } catch (error) {
      return this.#finish(this.#thrownAnswer(error))
    }
  }

  /** The process is ending under unfinished work: its readers at least get their sentinels (§1.7). */
  abandon(): void {
    const unfinished = this.#running + this.#unmarked + (this.#status === 'starting' ? 1 : 0)
    if (unfinished > 0) this.#options.logs.mark(unfinished)
  }

  #finish(answer: Answer): Answer {
    this.#unmarked++
    if (--this.#running === 0) {
      this.#options.logs.mark(this.#unmarked)
      this.#unmarked = 0
    }
    return answer
  }

  #refuse(text: string): Answer {
    this.#options.logs.error(`Internal system error: ${text}`)
    return failure(403, text)
  }

  #resultAnswer(result: unknown): Answer {
    if (result === undefined) return { status: 200, body: '{}' }
    if (typeof result !== 'object') {
      this.#options.logs.error(`${messages.resultType(typeof result)} ${errorText(result)}`)
      return failure(502, messages.resultNotDictionary)
    }
    try {
      // null passes on purpose: it is the platform that calls it invalid (§4.4).
      const body = JSON.stringify(result) as string | undefined
      return body === undefined ? failure(502, messages.resultNotDictionary) : { status: 200, body }
    } catch (error) {
      return this.#thrownAnswer(error)
    }
  }

  #thrownAnswer(error: unknown): Answer {
    this.#options.logs.error(errorDetails(error))
    return failure(502, messages.thrown(errorText(error)))
  }
}

function isThenable(value: unknown): value is PromiseLike<unknown> {
  return typeof value === 'object' && value !== null && typeof (value as { then?: unknown }).then === 'function'
}

/** A rejection is an error of the application, told in a result: 200 (§5.1). */
async function rejectionAnswer(reason: unknown): Promise<Answer> {
  try {
    const { serializeError } = await import('serialize-error')
    return { status: 200, body: JSON.stringify({ error: serializeError(reason) ?? {} }) }
  } catch {
    return { status: 200, body: JSON.stringify({ error: errorText(reason) }) }
  }
}
