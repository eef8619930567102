import type { Clock } from '../spi/index.ts'
import { originOf } from './api-host.ts'
import { createHttp, type Answer, type RequestLimits } from './http.ts'

/** Where an entity is: `namespace` may be `_`, `name` may be `package/name`; both unencoded. */
export type EntityRef = { readonly namespace: string; readonly name: string }

/** `auth` is `uuid:key`. `totalMs` and `signal` bound the one call. */
export type CallOptions = { auth: string; totalMs?: number; signal?: AbortSignal }

export type FireOptions = CallOptions & {
  /** CloudEvents headers, `Idempotency-Key`, `Sluice-Input` and the like. */
  headers?: Readonly<Record<string, string>>
  /** JSON text; `{}` when absent. */
  body?: string
  contentType?: string
  onSent?: () => void
}

export type InvokeOptions = CallOptions & { blocking?: boolean; result?: boolean; waitMs?: number; body?: object }

/**
 * The OpenWhisk REST API of a hub (or of any OpenWhisk), as providers and tools use it. Every method resolves to the
 * answer, whatever its status, and rejects with SLUICE_REQUEST when there was none.
 */
export interface HubClient {
  readonly origin: string
  getTrigger(ref: EntityRef, options: CallOptions): Promise<Answer>
  putTrigger(ref: EntityRef, content: object, options: PutOptions): Promise<Answer>
  deleteTrigger(ref: EntityRef, options: CallOptions): Promise<Answer>
  fireTrigger(ref: EntityRef, options: FireOptions): Promise<Answer>
  getRule(ref: EntityRef, options: CallOptions): Promise<Answer>
  putRule(ref: EntityRef, content: object, options: PutOptions): Promise<Answer>
  deleteRule(ref: EntityRef, options: CallOptions): Promise<Answer>
  putAction(ref: EntityRef, content: object, options: PutOptions): Promise<Answer>
  putPackage(ref: EntityRef, content: object, options: PutOptions): Promise<Answer>
  invoke(ref: EntityRef, options: InvokeOptions): Promise<Answer>
  /** `query` as in rest-api.md §6.3: name, limit, skip, since, upto, docs, count. */
  activations(
    namespace: string,
    options: CallOptions & { query?: Readonly<Record<string, string | number>> },
  ): Promise<Answer>
  activation(namespace: string, activationId: string, options: CallOptions): Promise<Answer>
  close(): Promise<void>
}

export type PutOptions = CallOptions & { overwrite?: boolean }

/** Opens a client; connections are made when they are needed. `apihost`: see `originOf`. */
export function createHubClient(options: {
  apihost: string
  clock: Clock
  limits?: RequestLimits
  connections?: number
  insecure?: boolean
}): HubClient {
  const origin = originOf(options.apihost)
  const http = createHttp({ ...options, origin })

  const send = (
    method: 'GET' | 'PUT' | 'POST' | 'DELETE',
    path: string,
    call: CallOptions,
    content?: { body: string; headers?: Readonly<Record<string, string>>; type?: string; onSent?: () => void },
  ): Promise<Answer> =>
    http.send({
      method,
      path,
      headers: {
        authorization: `Basic ${Buffer.from(call.auth).toString('base64')}`,
        ...content?.headers,
        ...(content ? { 'content-type': content.type ?? 'application/json' } : {}),
      },
      body: content?.body,
      totalMs: call.totalMs,
      signal: call.signal,
      onSent: content?.onSent,
    })

  const get = (kind: Collection) => (ref: EntityRef, call: CallOptions) => send('GET', pathOf(kind, ref), call)
  const remove = (kind: Collection) => (ref: EntityRef, call: CallOptions) => send('DELETE', pathOf(kind, ref), call)
  const put = (kind: Collection) => (ref: EntityRef, content: object, call: PutOptions) =>
    send('PUT', pathOf(kind, ref) + (call.overwrite ? '?overwrite=true' : ''), call, { body: JSON.stringify(content) })

  return {
    origin,
    getTrigger: get('triggers'),
    putTrigger: put('triggers'),
    deleteTrigger: remove('triggers'),
    fireTrigger: (ref, call) =>
      send('POST', pathOf('triggers', ref), call, {
        body: call.body ?? '{}',
        headers: call.headers,
        type: call.contentType,
        onSent: call.onSent,
      }),
    getRule: get('rules'),
    putRule: put('rules'),
    deleteRule: remove('rules'),
    putAction: put('actions'),
    putPackage: put('packages'),
    invoke: (ref, call) =>
      send('POST', pathOf('actions', ref) + invokeQuery(call), call, { body: JSON.stringify(call.body ?? {}) }),
    activations: (namespace, call) => send('GET', `${base(namespace)}/activations${queryOf(call.query)}`, call),
    activation: (namespace, id, call) => send('GET', `${base(namespace)}/activations/${encodeURIComponent(id)}`, call),
    close: () => http.close(),
  }
}

type Collection = 'actions' | 'packages' | 'triggers' | 'rules'

function base(namespace: string): string {
  return `/api/v1/namespaces/${encodeURIComponent(namespace)}`
}

/** Each segment is encoded by itself: names may hold spaces, `@`, `.` (feeds.md §1.4). */
function pathOf(kind: Collection, ref: EntityRef): string {
  return `${base(ref.namespace)}/${kind}/${ref.name.split('/').map(encodeURIComponent).join('/')}`
}

function invokeQuery(call: InvokeOptions): string {
  return queryOf({
    ...(call.blocking ? { blocking: 'true' } : {}),
    ...(call.result ? { result: 'true' } : {}),
    ...(call.waitMs === undefined ? {} : { timeout: call.waitMs }),
  })
}

function queryOf(query: Readonly<Record<string, string | number>> = {}): string {
  const text = Object.entries(query)
    .map(([key, value]) => `${encodeURIComponent(key)}=${encodeURIComponent(value)}`)
    .join('&')
  return text === '' ? '' : `?${text}`
}
