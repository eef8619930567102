import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import type { ActionService } from './action-service.ts'
import { failure, type Answer } from './answer.ts'
import { bounds } from './bounds.ts'
import { messages } from './messages.ts'

export type ActionServer = {
  readonly http: Server
  /** Whether no request is being read, worked on or answered. */
  idle(): boolean
}

/**
 * Serves `POST /init` and `POST /run`. No request, header or idle connection has a time limit here: the invoker owns the
 * limits (runtimes.md §1.1). `onIdle` is called each time the last open request is done.
 */
export function createActionServer(service: ActionService, onIdle: () => void = () => {}): ActionServer {
  let open = 0
  const idle = (): boolean => open === 0 && !service.busy
  const options = {
    requestTimeout: 0,
    headersTimeout: 0,
    keepAliveTimeout: 0,
    connectionsCheckingInterval: 2 ** 31 - 1,
  }
  const http = createServer(options, (request, response) => {
    open++
    response.sendDate = false
    response.on('close', () => {
      open--
      if (idle()) onIdle()
    })
    const handle = handlerOf(request, service)
    if (handle === undefined) {
      request.resume()
      return send(response, failure(500, messages.badRequest))
    }
    readBody(request, response, body => {
      const answer = body === undefined ? failure(500, messages.badRequest) : handle(body)
      if (!(answer instanceof Promise)) return send(response, answer)
      void answer.then(settled => {
        send(response, settled)
        // The client may have gone long ago, and with it the event that would tell.
        if (idle()) onIdle()
      })
    })
  })
  return { http, idle }
}

type Handler = (body: Record<string, unknown>) => Answer | Promise<Answer>

function handlerOf(request: IncomingMessage, service: ActionService): Handler | undefined {
  if (request.method !== 'POST') return undefined
  if (request.url === '/run') return body => service.run(body)
  if (request.url === '/init') return body => service.init(body['value'])
  return undefined
}

/** Hands over the body's JSON object; undefined if it is anything else. An empty body counts as `{}`. */
function readBody(
  request: IncomingMessage,
  response: ServerResponse,
  done: (body: Record<string, unknown> | undefined) => void,
): void {
  const chunks: Buffer[] = []
  let bytes = 0
  let refused = false
  request.on('data', (chunk: Buffer) => {
    bytes += chunk.length
    if (bytes <= bounds.bodyBytesMax) chunks.push(chunk)
    else if (!refused) {
      refused = true
      chunks.length = 0
      response.setHeader('Connection', 'close')
      send(response, failure(413, messages.bodyTooLarge(bounds.bodyBytesMax)))
    }
  })
  request.on('end', () => {
    if (refused) return
    done(parseObject((chunks.length === 1 ? chunks[0]! : Buffer.concat(chunks)).toString()))
  })
}

function parseObject(text: string): Record<string, unknown> | undefined {
  if (text === '') return {}
  try {
    const body: unknown = JSON.parse(text)
    return typeof body === 'object' && body !== null ? (body as Record<string, unknown>) : undefined
  } catch {
    return undefined
  }
}

function send(response: ServerResponse, { status, body }: Answer): void {
  if (response.headersSent) return
  response.writeHead(status, { 'Content-Type': 'application/json', 'Content-Length': Buffer.byteLength(body) })
  response.end(body)
}
