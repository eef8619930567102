import { Client, Pool, type Dispatcher } from 'undici'
import type { Clock, Container } from '../spi/index.ts'
import type { CallOutcome } from './run-outcome.ts'

/**
 * Speaks `/init` and `/run` with one container (platform.md §10). It keeps its connection: the pool never suspends a
 * container while a run is in flight, so an idle socket is sound when it is used again.
 */
export type ContainerClient = {
  /** Retries refused connections until the time limit is used up: the port may open late. */
  init(body: string, limits: CallLimits): Promise<CallOutcome>
  /** Never retried: user code may have run. `unsent` tells that the container was gone before the request was sent. */
  run(body: string, limits: CallLimits): Promise<CallOutcome | { readonly kind: 'unsent' }>
  close(): void
}

/** `bytesMax` bounds the answer; `truncationBytes` of a longer one are kept. */
export type CallLimits = { timeoutMs: number; bytesMax: number; truncationBytes: number }

const headers = { 'content-type': 'application/json', accept: 'application/json' }

export function createContainerClient(
  container: Container,
  clock: Clock,
  retryMs: number,
  connections: number,
): ContainerClient {
  const { endpoint } = container
  const origin = 'socketPath' in endpoint ? 'http://container' : `http://${endpoint.host}:${endpoint.port}`
  const options = { ...clientOptions, ...('socketPath' in endpoint ? { socketPath: endpoint.socketPath } : {}) }
  // Runs that overlap need a connection each: on one, an answer would wait for those asked for before it.
  const client = connections > 1 ? new Pool(origin, { ...options, connections }) : new Client(origin, options)

  async function call(path: '/init' | '/run', body: string, limits: CallLimits): Promise<CallOutcome | Refused> {
    return new Promise(resolve => {
      const receiver = new Receiver(limits, resolve, clock)
      client.dispatch({ path, method: 'POST', headers, body, blocking: false }, receiver)
    })
  }

  return {
    async init(body, limits) {
      const deadline = clock.monotonicMs() + limits.timeoutMs
      let gone = false
      void container.exited.then(() => (gone = true))
      for (;;) {
        const left = deadline - clock.monotonicMs()
        if (left <= 0) return { kind: 'timeout' }
        const outcome = await call('/init', body, { ...limits, timeoutMs: left })
        if (outcome.kind !== 'refused') return outcome.kind === 'lost' ? lost(container, clock) : outcome
        if (gone) return lost(container, clock)
        await clock.sleep(retryMs)
      }
    },
    async run(body, limits) {
      const outcome = await call('/run', body, limits)
      if (outcome.kind === 'refused') return { kind: 'unsent' }
      return outcome.kind === 'lost' ? lost(container, clock) : outcome
    },
    close() {
      void client.destroy().catch(() => undefined)
    },
  }
}

const clientOptions = {
  headersTimeout: 0,
  bodyTimeout: 0,
  pipelining: 1,
  keepAliveTimeout: 86_400_000,
  keepAliveMaxTimeout: 86_400_000,
}

type Refused = { readonly kind: 'refused' }

/** How long to wait for the reason after a connection broke: the exit is known within a tick or two, OOM with it. */
const exitReasonMs = 2000

/** A broken connection: was it the memory limit, or somebody outside? Waits for the exit's own word instead of polling
 *  (platform.md §10). */
async function lost(container: Container, clock: Clock): Promise<CallOutcome> {
  const patience = new AbortController()
  const exit = await Promise.race([
    container.exited,
    clock.sleep(exitReasonMs, patience.signal).then(
      () => undefined,
      () => undefined,
    ),
  ])
  patience.abort()
  return { kind: 'lost', oom: exit?.oom ?? false, outside: exit?.outside ?? false }
}

/** As far as the connection alone can tell. */
const lostSoFar: CallOutcome = { kind: 'lost', oom: false, outside: false }

/** Collects one answer without a stream in between. */
class Receiver implements Dispatcher.DispatchHandler {
  readonly #limits: CallLimits
  readonly #resolve: (outcome: CallOutcome | Refused) => void
  readonly #timer: { cancel(): void }
  #controller: Dispatcher.DispatchController | undefined
  #status = 0
  #announced = -1
  #bytes = 0
  #kept = 0
  readonly #chunks: Buffer[] = []
  #done = false

  constructor(limits: CallLimits, resolve: (outcome: CallOutcome | Refused) => void, clock: Clock) {
    this.#limits = limits
    this.#resolve = resolve
    this.#timer = clock.setTimer(limits.timeoutMs, () => {
      this.#settle({ kind: 'timeout' })
      this.#controller?.abort(new Error('time limit'))
    })
  }

  onRequestStart(controller: Dispatcher.DispatchController): void {
    this.#controller = controller
    if (this.#done) controller.abort(new Error('time limit'))
  }

  onResponseStart(
    _controller: Dispatcher.DispatchController,
    status: number,
    responseHeaders: Record<string, string | string[] | undefined>,
  ): void {
    this.#status = status
    const length = responseHeaders['content-length']
    if (typeof length === 'string') this.#announced = Number(length)
  }

  onResponseData(controller: Dispatcher.DispatchController, chunk: Buffer): void {
    this.#bytes += chunk.length
    const { bytesMax, truncationBytes } = this.#limits
    const keep = this.#tooLong() ? truncationBytes : bytesMax
    if (this.#kept < keep) {
      const part = chunk.length > keep - this.#kept ? chunk.subarray(0, keep - this.#kept) : chunk
      this.#kept += part.length
      this.#chunks.push(part)
    }
    // Nobody knows whether a body ends that does not say how long it is.
    if (this.#announced >= 0 || !this.#tooLong() || this.#kept < truncationBytes) return
    this.onResponseEnd()
    controller.abort(new Error('too long'))
  }

  onResponseEnd(): void {
    // 204 carries no body by definition: upstream takes it for no response.
    if (this.#status === 204) return this.#settle(lostSoFar)
    const only = this.#chunks.length === 1 ? this.#chunks[0] : undefined
    const bytes = only ?? Buffer.concat(this.#chunks)
    if (!this.#tooLong()) return this.#settle({ kind: 'answer', status: this.#status, body: bytes.toString() })
    const { bytesMax, truncationBytes } = this.#limits
    const truncated = { bytes: Math.max(this.#announced, this.#bytes), max: bytesMax }
    this.#settle({
      kind: 'answer',
      status: this.#status,
      body: wholeCharacters(bytes.subarray(0, truncationBytes)),
      truncated,
    })
  }

  onResponseError(_controller: Dispatcher.DispatchController, error: Error): void {
    const code = (error as NodeJS.ErrnoException).code
    this.#settle(
      code === 'ECONNREFUSED' || code === 'ENOENT' || code === 'EHOSTUNREACH' ? { kind: 'refused' } : lostSoFar,
    )
  }

  #tooLong(): boolean {
    return this.#announced > this.#limits.bytesMax || this.#bytes > this.#limits.bytesMax
  }

  #settle(outcome: CallOutcome | Refused): void {
    if (this.#done) return
    this.#done = true
    this.#timer.cancel()
    this.#resolve(outcome)
  }
}

/** UTF-8 text without the half character that a cut may leave at its end. */
function wholeCharacters(bytes: Buffer): string {
  let end = bytes.length
  while (end > 0 && bytes.length - end < 4 && ((bytes[end - 1] ?? 0) & 0xc0) === 0x80) end--
  const lead = end > 0 ? (bytes[end - 1] ?? 0) : 0
  const needed = lead >= 0xf0 ? 4 : lead >= 0xe0 ? 3 : lead >= 0xc0 ? 2 : 1
  return bytes.subarray(0, bytes.length - end + 1 < needed ? end - 1 : bytes.length).toString()
}
