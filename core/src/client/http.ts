import { Agent, request } from 'undici'
import { bounds, SluiceError } from '../model/index.ts'
import type { Clock } from '../spi/index.ts'

/** What came back, whatever its status. `body` is the parsed JSON, or absent when the text is none. */
export type Answer = {
  readonly status: number
  readonly headers: Readonly<Record<string, string | string[] | undefined>>
  readonly text: string
  readonly body?: unknown
}

/** Times in milliseconds, from `bounds.client` where absent; `totalMs` covers connecting, waiting and reading. */
export type RequestLimits = { connectMs?: number; headersMs?: number; bodyMs?: number; totalMs?: number }

export type Outgoing = {
  method: 'GET' | 'PUT' | 'POST' | 'DELETE'
  /** Path and query, already encoded. */
  path: string
  headers?: Record<string, string>
  body?: string | Uint8Array
  totalMs?: number
  signal?: AbortSignal
  /** Called when the request's bytes have been handed to the socket's queue: what the lateness of a fire is measured by. */
  onSent?: () => void
}

/** Why a request got no answer: the endpoint could not be reached or broke off, it was too slow, it spoke no HTTP, or
 *  the caller gave up (feeds.md R1 treats them differently). */
export type FailureKind = 'connection' | 'timeout' | 'malformed' | 'aborted'

export interface Http {
  /** Resolves to any complete answer; redirects are answers too. Rejects with SLUICE_REQUEST (see `failureOf`). */
  send(outgoing: Outgoing): Promise<Answer>
  close(): Promise<void>
}

/** Keep-alive connections to one origin, at most `connections` of them. */
export function createHttp(options: {
  origin: string
  clock: Clock
  limits?: RequestLimits
  connections?: number
  /** Only for deployments that say so: accept any certificate (feeds.md §1.4). */
  insecure?: boolean
}): Http {
  const { origin, clock, limits = {} } = options
  const totalMsDefault = limits.totalMs ?? bounds.client.totalTimeoutMs
  const agent = new Agent({
    connections: options.connections ?? bounds.client.connectionsMax,
    pipelining: 1,
    keepAliveTimeout: bounds.client.keepAliveMs,
    headersTimeout: limits.headersMs ?? bounds.client.headersTimeoutMs,
    bodyTimeout: limits.bodyMs ?? bounds.client.bodyTimeoutMs,
    connect: {
      timeout: limits.connectMs ?? bounds.client.connectTimeoutMs,
      rejectUnauthorized: !options.insecure,
    },
  })

  async function send(outgoing: Outgoing): Promise<Answer> {
    const totalMs = outgoing.totalMs ?? totalMsDefault
    const limit = new AbortController()
    const timer = clock.setTimer(totalMs, () => limit.abort(timeoutReason), { unref: true })
    const signal = outgoing.signal ? AbortSignal.any([outgoing.signal, limit.signal]) : limit.signal
    try {
      const pending = request(origin + outgoing.path, {
        dispatcher: agent,
        method: outgoing.method,
        headers: outgoing.headers,
        body: outgoing.body,
        signal,
      })
      outgoing.onSent?.()
      const { statusCode, headers, body } = await pending
      const text = await readBounded(body)
      return { status: statusCode, headers, text, ...parsed(text) }
    } catch (cause) {
      throw requestError(outgoing, origin, limit.signal.aborted ? 'timeout' : kindOf(cause), cause)
    } finally {
      timer.cancel()
    }
  }

  return { send, close: () => agent.destroy() }
}

const timeoutReason = new Error('the total time is over')

async function readBounded(body: AsyncIterable<Buffer> & { destroy(): unknown }): Promise<string> {
  const chunks: Buffer[] = []
  let bytes = 0
  for await (const chunk of body) {
    bytes += chunk.length
    if (bytes > bounds.client.answerBytesMax) throw new SluiceError('SLUICE_TOO_LARGE', 'the answer is over its bound')
    chunks.push(chunk)
  }
  return Buffer.concat(chunks).toString('utf8')
}

function parsed(text: string): { body?: unknown } {
  if (text === '') return {}
  try {
    return { body: JSON.parse(text) as unknown }
  } catch {
    return {}
  }
}

const kinds = new WeakMap<Error, FailureKind>()

function requestError(outgoing: Outgoing, origin: string, kind: FailureKind, cause: unknown): SluiceError {
  // The path without its query: parameters may be in there.
  const path = outgoing.path.split('?')[0]
  const error = new SluiceError('SLUICE_REQUEST', `${outgoing.method} ${origin}${path} got no answer (${kind})`, {
    cause,
  })
  kinds.set(error, kind)
  return error
}

/** The kind of a failure that `send` rejected with; `connection` for anything else. */
export function failureOf(error: unknown): FailureKind {
  return (error instanceof Error && kinds.get(error)) || 'connection'
}

function kindOf(cause: unknown): FailureKind {
  const { code, name } = (cause ?? {}) as { code?: unknown; name?: unknown }
  if (name === 'AbortError') return 'aborted'
  if (code === 'UND_ERR_HEADERS_TIMEOUT' || code === 'UND_ERR_BODY_TIMEOUT') return 'timeout'
  if (name === 'HTTPParserError' || code === 'UND_ERR_HEADERS_OVERFLOW') return 'malformed'
  if (code === 'SLUICE_TOO_LARGE' || code === 'UND_ERR_RES_CONTENT_LENGTH_MISMATCH') return 'malformed'
  return 'connection'
}
