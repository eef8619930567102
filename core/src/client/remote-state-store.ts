import { bounds, errorCodes, parseJson, SluiceError, stringifyJson, type ErrorCode } from '../model/index.ts'
import type { Clock, StateEntry, StateStore } from '../spi/index.ts'
import { originOf } from './api-host.ts'
import { createHttp } from './http.ts'

/** Whose lease the writes rest on; the server refuses a lower token (feeds.md F3). */
export type FencingToken = { readonly shard: number; readonly token: number }

export interface RemoteStateStore extends StateStore {
  /** The same store, whose writes carry the token. Closing either closes both. */
  withFence(fence: FencingToken): RemoteStateStore
}

/**
 * The hub's StateStore for a provider outside its process (design.md §5), with the provider's own key; keys must lie
 * below `<provider>/`. What the store refuses rejects with the store's code; a hub that gives no answer with
 * SLUICE_STORE_UNAVAILABLE, and then a write may have happened or not.
 */
export function createRemoteStateStore(options: {
  url: string
  provider: string
  key: string
  clock: Clock
}): RemoteStateStore {
  const { clock } = options
  const origin = originOf(options.url)
  const http = createHttp({ origin, clock })
  /** Long polls would take the connections away from short calls. */
  const watching = createHttp({ origin, clock, connections: bounds.remoteState.watchConnectionsMax })
  const stopped = new AbortController()
  /** First polls that have no answer yet: a write waits for them, so that the watchers are told of it. */
  const starting = new Set<Promise<void>>()

  async function call(
    operation: string,
    body: object,
    extra: { fence?: FencingToken; via?: typeof http; signal?: AbortSignal } = {},
  ): Promise<Record<string, unknown>> {
    const { fence, via = http, signal } = extra
    const answer = await via
      .send({
        method: 'POST',
        path: `/internal/v1/state/${encodeURIComponent(options.provider)}/${operation}`,
        headers: {
          authorization: `Bearer ${options.key}`,
          'content-type': 'application/json',
          ...(fence ? { 'sluice-fencing-shard': `${fence.shard}`, 'sluice-fencing-token': `${fence.token}` } : {}),
        },
        body: stringifyJson(body),
        signal,
      })
      .catch((cause: unknown) => {
        throw new SluiceError('SLUICE_STORE_UNAVAILABLE', 'the state store of the hub gave no answer', { cause })
      })
    const content = contentOf(answer.text)
    if (answer.status === 200) return content
    throw refusal(answer.status, content)
  }

  function watch(prefix: string, onChange: (change: { key: string; deleted: boolean }) => void): () => void {
    const ended = new AbortController()
    const signal = AbortSignal.any([ended.signal, stopped.signal])
    const seen = new Set<string>()
    let started = () => {}
    const start = new Promise<void>(resolve => (started = resolve))
    starting.add(start)
    void start.then(() => starting.delete(start))

    function tell(change: { key: string; deleted: boolean }): void {
      if (signal.aborted) return
      if (change.deleted) seen.delete(change.key)
      else seen.add(change.key)
      onChange(change)
    }

    async function poll(cursor: string | undefined): Promise<string> {
      const answer = await call('watch', { prefix, cursor }, { via: watching, signal })
      if (answer.reset) await readAgain()
      for (const change of answer.changes as { key: string; deleted: boolean }[]) tell(change)
      return answer.cursor as string
    }

    /** Nobody knows what was missed: everything that is there counts as changed, what is not there any more as deleted. */
    async function readAgain(): Promise<void> {
      const gone = new Set(seen)
      for (let after: string | undefined; ;) {
        const page = await pageOf({ prefix, after, limit: bounds.store.scanMax })
        for (const { key } of page) {
          gone.delete(key)
          tell({ key, deleted: false })
        }
        after = page.at(-1)?.key
        if (page.length < bounds.store.scanMax) break
      }
      for (const key of gone) tell({ key, deleted: true })
    }

    async function run(): Promise<void> {
      let cursor: string | undefined
      while (!signal.aborted) {
        try {
          cursor = await poll(cursor)
        } catch {
          // After an outage the server says itself whether anything may have been missed.
          await clock.sleep(bounds.remoteState.watchRetryMs, signal).catch(() => undefined)
        } finally {
          started()
        }
      }
    }

    void run()
    return () => ended.abort(new Error('the watch was ended'))
  }

  async function pageOf(query: Parameters<StateStore['scan']>[0]): Promise<StateEntry[]> {
    return (await call('scan', query)).entries as StateEntry[]
  }

  async function scan(query: Parameters<StateStore['scan']>[0]): Promise<StateEntry[]> {
    const found: StateEntry[] = []
    for (let after = query.after; found.length < query.limit; after = found.at(-1)?.key) {
      const limit = Math.min(query.limit - found.length, bounds.store.scanMax)
      const page = await pageOf({ ...query, after, limit })
      found.push(...page)
      if (page.length < limit) break
    }
    return found
  }

  function storeWith(fence: FencingToken | undefined): RemoteStateStore {
    const write = async (operation: string, body: object) => {
      await Promise.all(starting)
      return call(operation, body, { fence })
    }
    return {
      get: async key => ((await call('get', { key })).entry as StateEntry | null) ?? undefined,
      put: async (key, value, revision) => (await write('put', { key, value, revision })).revision as string,
      async putMany(writes) {
        const results: (string | Error)[] = []
        for (let at = 0; at < writes.length; at += bounds.remoteState.writesMax) {
          const part = writes.slice(at, at + bounds.remoteState.writesMax)
          const answer = await write('put-many', { writes: part })
          for (const result of answer.results as { revision?: string }[]) {
            results.push(result.revision ?? refusal(500, result))
          }
        }
        return results
      },
      async delete(key, revision) {
        await write('delete', { key, revision })
      },
      scan,
      watch,
      withFence: storeWith,
      async close() {
        stopped.abort(new Error('the store was closed'))
        await Promise.all([http.close(), watching.close()])
      },
    }
  }

  return storeWith(undefined)
}

/** Digit by digit: values are the provider's. */
function contentOf(answer: string): Record<string, unknown> {
  try {
    return parseJson(answer) as Record<string, unknown>
  } catch {
    return {}
  }
}

function refusal(status: number, content: Record<string, unknown>): SluiceError {
  const { code, message } = content
  const known = typeof code === 'string' && Object.hasOwn(errorCodes, code)
  if (known && status !== 401 && status !== 403) return new SluiceError(code as ErrorCode, text(message))
  if (status >= 500 || status === 404) return new SluiceError('SLUICE_STORE_UNAVAILABLE', `the hub answered ${status}`)
  return new SluiceError('SLUICE_REQUEST', `the hub refused a call to its state store (${status}): ${text(message)}`)
}

function text(message: unknown): string {
  return typeof message === 'string' && message !== '' ? message : 'no reason given'
}
