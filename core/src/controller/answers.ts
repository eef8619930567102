import { ApiError, SluiceError, bounds, messages, stringifyJson } from '../model/index.ts'

/** What a route answers; the door adds the headers that every answer has. */
export type Answer = {
  readonly status: number
  /** Absent: no body and no content type. */
  readonly body?: string
  /** Instead of a body: its parts, made as the client takes them. `done` is called once when no more will be asked for. */
  readonly parts?: { readonly texts: AsyncIterable<string>; readonly done: () => void }
  /** Text is `text/plain; charset=UTF-8`. */
  readonly plain?: boolean
  readonly activationId?: string
  readonly headers?: Readonly<Record<string, string>>
  /** `api` unless said otherwise (rest-api.md §1.7). */
  readonly cors?: 'api' | 'operator' | 'none'
}

/** 200 with JSON. */
export function ok(value: unknown): Answer {
  return { status: 200, body: stringifyJson(value) }
}

export function plain(text: string): Answer {
  return { status: 200, body: text, plain: true }
}

export const accessControl = {
  api: {
    'access-control-allow-origin': '*',
    'access-control-allow-headers': 'Authorization, Origin, X-Requested-With, Content-Type, Accept, User-Agent',
    'access-control-allow-methods': 'GET, DELETE, POST, PUT, HEAD',
  },
  operator: {
    'access-control-allow-origin': '*',
    'access-control-allow-headers': 'Authorization, Origin, X-Requested-With, Content-Type, Accept, User-Agent',
    'access-control-allow-methods': 'OPTIONS, GET, POST',
  },
} as const

/** The answers that name no resource, by status (rest-api.md §1.5). */
export const statusTexts: Readonly<Record<number, string>> = {
  403: 'The supplied authentication is not authorized to access this resource.',
  404: messages.missing,
  409: 'The request could not be processed because of conflict in the request, such as an edit conflict.',
  413: 'The request content is larger than the server is willing or able to process.',
  429: messages.overloaded,
  500: messages.internal,
  503: messages.unavailable,
}

const challenge = { 'www-authenticate': 'Basic realm="OpenWhisk secure realm",charset=UTF-8' }
const retryLater = { 'retry-after': String(bounds.http.retryAfterSeconds) }

/** The JSON envelope for an error. Whatever is not meant for clients becomes a 500 without any detail. */
export function errorAnswer(error: unknown, transid: string): Answer {
  const { status, text, rejection } = publicError(error)
  const headers = status === 401 ? challenge : (retryAt(error) ?? (status === 503 ? retryLater : undefined))
  return {
    status,
    body: JSON.stringify({ error: text, code: transid }),
    cors: rejection ? 'none' : 'api',
    ...(headers === undefined ? {} : { headers }),
  }
}

/** Whether the error says something about this server, not about the request. */
export function isServerFault(error: unknown): boolean {
  return publicError(error).status >= 500
}

function publicError(error: unknown): { status: number; text: string; rejection: boolean } {
  if (error instanceof ApiError) {
    const text = error.rejection ? error.message : error.message.trim()
    return { status: error.status, text: text || (statusTexts[error.status] ?? ''), rejection: error.rejection }
  }
  if (!(error instanceof SluiceError)) return { status: 500, text: messages.internal, rejection: false }
  if (error.code === 'SLUICE_CONFLICT') return { status: 409, text: messages.concurrentModification, rejection: false }
  if (error.code === 'SLUICE_STORE_CORRUPT') return { status: 500, text: messages.corrupted, rejection: false }
  return { status: error.status, text: statusTexts[error.status] ?? messages.internal, rejection: false }
}

/** OpenWhisk's own 429 has no Retry-After; refusals for lack of room do (reliability.md P8), and those to senders of
 *  events. */
function retryAt(error: unknown): Record<string, string> | undefined {
  if (error instanceof ApiError)
    return error.retryAfterSeconds === undefined ? undefined : { 'retry-after': String(error.retryAfterSeconds) }
  return error instanceof SluiceError && error.retryable && error.status === 429 ? retryLater : undefined
}
