import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import { onTestFinished } from 'vitest'

/** What was asked of the engine: the path with its query, and the JSON body. */
export type EngineRequest = { readonly method: string; readonly path: string; readonly body: unknown }

/** An Engine API on loopback that has every image and every network, and refuses to create containers. */
export type RecordingEngine = {
  readonly address: { readonly host: string; readonly port: number }
  /** The requests since the last call, but for those that only look. */
  taken(): EngineRequest[]
}

/** `volumes`: what every image declares. Ended when the test is over. */
export async function recordingEngine(volumes: readonly string[] = []): Promise<RecordingEngine> {
  let requests: EngineRequest[] = []
  const server = createServer((request, response) => {
    void bodyOf(request).then(body => {
      const { method = '', url: path = '' } = request
      if (method !== 'GET') requests.push({ method, path, body })
      answer(method, path, response, volumes)
    })
  })
  await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve))
  onTestFinished(() => void server.close().closeAllConnections())
  const { port } = server.address() as { port: number }
  return {
    address: { host: '127.0.0.1', port },
    taken() {
      const taken = requests
      requests = []
      return taken
    },
  }
}

function answer(method: string, path: string, response: ServerResponse, volumes: readonly string[]): void {
  const send = (status: number, body: unknown): void => void response.writeHead(status).end(JSON.stringify(body))
  if (path.startsWith('/events')) return response.writeHead(200).flushHeaders()
  if (path.startsWith('/info')) return send(200, { ServerVersion: 'recording', CgroupDriver: 'cgroupfs' })
  if (method === 'GET' && path.startsWith('/images/')) {
    const Volumes = Object.fromEntries(volumes.map(volume => [volume, {}]))
    return send(200, { Id: 'sha256:0', Config: { Labels: { 'sluice.sockets': 'listen,api' }, Volumes } })
  }
  if (path.startsWith('/images/create')) return send(200, { status: 'done' })
  if (path.startsWith('/networks/create')) return send(201, { Id: 'n'.repeat(64) })
  if (path.startsWith('/containers/create')) return send(400, { message: 'recorded' })
  if (method === 'DELETE') return void response.writeHead(204).end()
  send(200, [])
}

async function bodyOf(request: IncomingMessage): Promise<unknown> {
  let text = ''
  for await (const chunk of request) text += String(chunk)
  return text === '' ? undefined : JSON.parse(text)
}
