import { chmod } from 'node:fs/promises'
import { Agent, createServer, request as httpRequest, type IncomingMessage, type ServerResponse } from 'node:http'
import type { Server } from 'node:http'
import { bounds } from '../../model/index.ts'
import type { Logger } from '../../spi/index.ts'

/**
 * The door from containers to the hub: passes requests for the public API and the lifecycle of feeds on, and refuses
 * everything else (design.md §7, egress policy `platform`).
 */
export type ApiRelay = {
  /** Listens on a unix socket that every user may connect to: containers have users of their own. */
  listenAt(path: string): Promise<void>
  /** Listens on a free port of this address; resolves to the port and a way to stop. */
  listenOn(host: string): Promise<{ port: number; close: () => Promise<void> }>
  close(): Promise<void>
}

/**
 * `target` tells where the hub listens now: an `http:` URL. `lifecycleTargets` are the URLs of providers outside of it, by
 * name: what asks for the lifecycle of their feeds goes there.
 */
export function createApiRelay(
  target: () => string,
  log: Logger,
  lifecycleTargets: Readonly<Record<string, string>> = {},
): ApiRelay {
  const agent = new Agent({ keepAlive: true, maxSockets: bounds.docker.relayConnectionsMax })
  const servers = new Set<Server>()

  function serve(request: IncomingMessage, response: ServerResponse): void {
    request.on('error', () => response.destroy())
    if (!isPublic(request.url ?? '')) return refuse(request, response, 403, 'This door leads to the public API only.')
    const [, provider = '', rest = ''] = /^\/providers\/([a-z0-9-]+)(\/.*)$/s.exec(request.url ?? '') ?? []
    const outside = Object.hasOwn(lifecycleTargets, provider) ? lifecycleTargets[provider] : undefined
    const hub = new URL(outside ?? target())
    const headers = forwarded(request)
    headers.push('host', hub.host)
    const onward = httpRequest({
      host: hub.hostname.replace(/^\[(.*)\]$/, '$1'),
      port: hub.port === '' ? 80 : hub.port,
      method: request.method,
      path: outside === undefined ? request.url : hub.pathname.replace(/\/$/, '') + rest,
      headers,
      agent,
    })
    onward.setTimeout(bounds.docker.relayIdleMs, () => onward.destroy(new Error('idle for too long')))
    onward.once('response', answer => {
      response.writeHead(answer.statusCode ?? 502, answer.rawHeaders)
      answer.pipe(response)
      answer.on('error', () => response.destroy())
    })
    onward.once('error', (error: Error) => {
      log.debug({ err: error }, 'a container did not reach the hub')
      if (response.headersSent) response.destroy()
      else refuse(request, response, 502, 'The hub does not answer.')
    })
    response.once('close', () => onward.destroy())
    request.pipe(onward)
  }

  async function listen(where: { path: string } | { host: string; port: number }): Promise<Server> {
    const server = createServer({ keepAliveTimeout: bounds.http.keepAliveTimeoutMs }, serve)
    server.maxConnections = bounds.docker.relayConnectionsMax
    await new Promise<void>((resolve, reject) => {
      server.once('error', reject)
      server.listen(where, resolve)
    })
    server.on('error', (error: Error) => log.warn({ err: error }, 'the door of containers to the hub'))
    servers.add(server)
    return server
  }

  async function end(server: Server): Promise<void> {
    servers.delete(server)
    server.closeAllConnections()
    await new Promise<void>(resolve => server.close(() => resolve()))
  }

  return {
    async listenAt(path) {
      await listen({ path })
      await chmod(path, 0o777)
    },
    async listenOn(host) {
      const server = await listen({ host, port: 0 })
      const address = server.address()
      const port = typeof address === 'object' && address !== null ? address.port : 0
      return { port, close: () => end(server) }
    },
    async close() {
      await Promise.all([...servers].map(end))
      agent.destroy()
    },
  }
}

function refuse(request: IncomingMessage, response: ServerResponse, status: number, error: string): void {
  request.resume()
  const body = JSON.stringify({ error })
  response
    .writeHead(status, { 'content-type': 'application/json', 'content-length': Buffer.byteLength(body) })
    .end(body)
}

/** Whether the path of a request is one that containers may ask for. */
export function isPublic(url: string): boolean {
  const [path = ''] = url.split(/[?#]/, 1)
  if (!path.startsWith('/')) return false
  let segments: string[]
  try {
    segments = path.split('/').map(decodeURIComponent)
  } catch {
    return false
  }
  if (segments.some(segment => /^\.\.?$|[\\\0]/.test(segment) || segment.includes('/../'))) return false
  return path === '/' || /^\/ping$|^\/api\/v1(?:\/|$)|^\/providers\/[a-z0-9-]+\/v1\/lifecycle(?:\/|$)/.test(path)
}

const hopByHop = new Set(['host', 'connection', 'keep-alive', 'proxy-connection', 'te', 'trailer', 'upgrade'])

/** The headers of a request that go on, as name, value, name, value. */
function forwarded(request: IncomingMessage): string[] {
  const headers: string[] = []
  for (let at = 0; at + 1 < request.rawHeaders.length; at += 2) {
    const [name = '', value = ''] = request.rawHeaders.slice(at, at + 2)
    if (!hopByHop.has(name.toLowerCase())) headers.push(name, value)
  }
  return headers
}
