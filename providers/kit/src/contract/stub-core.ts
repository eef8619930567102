import { createServer, type IncomingMessage } from 'node:http'
import type { AddressInfo } from 'node:net'
import { systemClock } from '@sluice/core/spi'

/** One fire as it arrived. */
export type ReceivedFire = {
  readonly trigger: string
  readonly headers: Readonly<Record<string, string>>
  readonly body: string
  readonly atMs: number
  /** What it was answered with; 0 while it is held back. */
  status: number
}

/** What to answer; `undefined` closes the connection without an answer. */
export type StubAnswer =
  { status: number; body?: string; headers?: Record<string, string>; afterMs?: number } | undefined

/**
 * A real HTTP server that behaves as the triggers and rules of a hub do, or as badly as a test wants. Triggers are
 * `ns/name`; a key may use the triggers of the namespaces that `grant` gave it.
 */
export type StubCore = {
  readonly url: string
  readonly fires: ReceivedFire[]
  /** Everything but fires, as `METHOD path`. */
  readonly calls: string[]
  readonly triggers: Map<string, { rules: Set<string>; annotations: unknown[] }>
  /** Requests that arrived and have no answer yet: a test holds them back. */
  readonly pending: Set<IncomingMessage>
  grant(authKey: string, namespace: string): void
  /** Decides the answer to a fire; by default 202, or 404 without such a trigger. */
  onFire: (fire: ReceivedFire, count: number) => StubAnswer | Promise<StubAnswer>
  /** Decides the answer to any other call; `'default'` answers as a hub does. */
  onCall: (method: string, path: string) => StubAnswer | 'default' | Promise<StubAnswer | 'default'>
  /** Resolves when there are `count` fires (in all) that `matches`. */
  fired(count: number, matches?: (fire: ReceivedFire) => boolean): Promise<ReceivedFire[]>
  /** Stops listening, as a hub that is down; `start` listens on the same port again. */
  stop(): Promise<void>
  start(): Promise<void>
}

export async function openStubCore(): Promise<StubCore> {
  const keys = new Map<string, Set<string>>()
  const waiting = new Set<() => void>()
  const server = createServer((request, response) => {
    void (async () => {
      stub.pending.add(request)
      response.on('close', () => stub.pending.delete(request))
      const answer = await route(request, await textOf(request))
      stub.pending.delete(request)
      if (!answer) {
        request.socket.destroy()
        return
      }
      response.writeHead(answer.status, { 'content-type': 'application/json', ...answer.headers }).end(answer.body)
    })()
  })
  let port = 0

  async function route(request: IncomingMessage, body: string): Promise<StubAnswer> {
    const method = request.method ?? ''
    const path = decodeURIComponent((request.url ?? '').split('?')[0] ?? '')
    const [, , , , namespace = '', collection, name = ''] = path.split('/')
    const id = `${namespace}/${name}`
    if (method === 'POST' && collection === 'triggers') return fire(id, request, body)
    stub.calls.push(`${method} ${request.url}`)
    const decided = await stub.onCall(method, path)
    if (decided !== 'default') return decided
    if (!allowed(request, namespace)) return { status: keyOf(request) ? 403 : 401, body: '{"error":"no"}' }
    return collection === 'triggers' ? onTrigger(method, id) : onRule(method, id)
  }

  async function fire(id: string, request: IncomingMessage, body: string): Promise<StubAnswer> {
    const headers = Object.fromEntries(Object.entries(request.headers).map(([key, value]) => [key, String(value)]))
    const received: ReceivedFire = { trigger: id, headers, body, atMs: systemClock.nowMs(), status: 0 }
    stub.fires.push(received)
    const answer = await stub.onFire(received, stub.fires.length)
    received.status = answer?.status ?? 0
    for (const wake of waiting) wake()
    return answer
  }

  function onTrigger(method: string, id: string): StubAnswer {
    const trigger = stub.triggers.get(id)
    if (method === 'PUT') stub.triggers.set(id, { rules: new Set(), annotations: [] })
    else if (!trigger) return { status: 404, body: '{"error":"The requested resource does not exist."}' }
    if (method === 'DELETE') stub.triggers.delete(id)
    const rules = Object.fromEntries([...(trigger?.rules ?? [])].map(rule => [rule, { status: 'active' }]))
    const annotations = trigger?.annotations ?? []
    return { status: 200, body: JSON.stringify({ name: id.split('/')[1], annotations, rules }) }
  }

  function onRule(method: string, id: string): StubAnswer {
    const holder = [...stub.triggers.values()].find(trigger => trigger.rules.has(id))
    if (!holder) return { status: 404, body: '{}' }
    if (method === 'DELETE') holder.rules.delete(id)
    return { status: 200, body: '{}' }
  }

  function keyOf(request: IncomingMessage): Set<string> | undefined {
    const [, encoded = ''] = (request.headers.authorization ?? '').split(' ')
    return keys.get(Buffer.from(encoded, 'base64').toString())
  }

  function allowed(request: IncomingMessage, namespace: string): boolean {
    return keyOf(request)?.has(namespace) ?? false
  }

  const stub: StubCore = {
    get url() {
      return `http://127.0.0.1:${port}`
    },
    fires: [],
    calls: [],
    triggers: new Map(),
    pending: new Set(),
    grant(authKey, namespace) {
      keys.set(authKey, (keys.get(authKey) ?? new Set()).add(namespace))
    },
    onFire: ({ trigger }) =>
      stub.triggers.has(trigger) ? { status: 202, body: accepted } : { status: 404, body: '{}' },
    onCall: () => 'default',
    async fired(count, matches = () => true) {
      for (;;) {
        const found = stub.fires.filter(received => received.status !== 0 && matches(received))
        if (found.length >= count) return found
        await new Promise<void>(resolve => {
          const wake = () => {
            waiting.delete(wake)
            resolve()
          }
          waiting.add(wake)
        })
      }
    },
    async start() {
      await new Promise<void>(resolve => server.listen(port, '127.0.0.1', resolve))
      port = (server.address() as AddressInfo).port
    },
    async stop() {
      server.closeAllConnections()
      await new Promise(resolve => server.close(resolve))
    },
  }
  await stub.start()
  return stub
}

const accepted = '{"activationId":"00000000000000000000000000000000"}'

async function textOf(request: IncomingMessage): Promise<string> {
  let text = ''
  for await (const chunk of request) text += String(chunk)
  return text
}
