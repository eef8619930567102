import { Pool } from 'undici'

/** A client of the REST API for tests: one call, its whole answer, no opinion. */
export type Api = {
  call(method: string, path: string, options?: CallOptions): Promise<Answer>
  close(): Promise<void>
}
export type CallOptions = { body?: unknown; headers?: Record<string, string>; auth?: string | null; timeoutMs?: number }
export type Answer = { status: number; headers: Record<string, string | string[] | undefined>; text: string; body: any }

/** Paths not beginning with `/` are below `/api/v1/namespaces/_/`. */
export function createApi(url: string, auth: string): Api {
  const pool = new Pool(url, { connections: 64, pipelining: 1 })
  return {
    async call(method, path, options = {}) {
      const credential = options.auth === undefined ? auth : options.auth
      const raw = typeof options.body === 'string' || options.body instanceof Uint8Array
      const answer = await pool.request({
        method: method,
        path: path.startsWith('/') ? path : `/api/v1/namespaces/_/${path}`,
        headers: {
          ...(credential === null ? {} : { authorization: `Basic ${Buffer.from(credential).toString('base64')}` }),
          ...(options.body === undefined ? {} : { 'content-type': 'application/json' }),
          ...options.headers,
        },
        body: options.body === undefined ? null : raw ? (options.body as string) : JSON.stringify(options.body),
        headersTimeout: options.timeoutMs ?? 70_000,
        bodyTimeout: options.timeoutMs ?? 70_000,
      })
      const text = await answer.body.text()
      return { status: answer.statusCode, headers: answer.headers, text, body: parsed(text) }
    },
    close: () => pool.destroy(),
  }
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}

/** Writes an entity, over an earlier one too; throws when it is not taken. */
export async function putEntity(api: Api, path: string, body: unknown): Promise<void> {
  const { status, text } = await api.call('PUT', `${path}?overwrite=true`, { body })
  if (status !== 200) throw new Error(`${path} was not taken: ${status} ${text}`)
}

/** Deletes the rules, triggers and actions of the namespace (up to 200 of each). */
export async function deleteEntities(api: Api): Promise<void> {
  for (const kind of ['rules', 'triggers', 'actions']) {
    for (const { name } of (await api.call('GET', `${kind}?limit=200`)).body ?? [])
      await api.call('DELETE', `${kind}/${encodeURIComponent(name)}`)
  }
}

/** Calls `look` until it gives something, at most `withinMs`. */
export async function eventually<T>(look: () => Promise<T | undefined | false>, withinMs = 15_000): Promise<T> {
  const endMs = Date.now() + withinMs
  for (;;) {
    const found = await look()
    if (found !== undefined && found !== false) return found
    if (Date.now() > endMs) throw new Error(`It did not come true within ${withinMs} ms.`)
    await new Promise(done => setTimeout(done, 50))
  }
}
