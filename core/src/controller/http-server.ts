import type { IncomingMessage, OutgoingHttpHeaders, ServerResponse } from 'node:http'
import type { Socket } from 'node:net'
import { Readable } from 'node:stream'
import fastify, { type FastifyInstance, type FastifyReply, type FastifyRequest } from 'fastify'
import { ApiError, SluiceError, bounds } from '../model/index.ts'
import type { Clock, Logger, Random } from '../spi/index.ts'
import { accessControl, errorAnswer, isServerFault, type Answer } from './answers.ts'
import { ClientGone } from './body-reader.ts'
import type { ApiDoor } from './api-door.ts'
import { MethodNotAllowed, type RootDoor } from './root-door.ts'
import { givenTransid } from './request-headers.ts'

/** The HTTP server: transaction ids, envelopes and limits; the doors know the routes (rest-api.md §1). */
export interface HttpServer {
  readonly app: FastifyInstance
  /** Rejects with SLUICE_ADDRESS_IN_USE. */
  start(address: { host: string; port: number }): Promise<{ port: number }>
  /** Takes no more connections and ends idle ones, lets running requests end for `bounds.http.drainMs`, then cuts them.
   *  What of a request has not come is waited for no longer than `drainBodyMs`. */
  stop(): Promise<void>
}

const apiPrefix = '/api/v1'

export function createHttpServer(deps: {
  /** None: `/api/v1` is as unknown as any other path. */
  api?: ApiDoor
  root: RootDoor
  clock: Clock
  random: Random
  log: Logger
  /** Told of every answer. */
  observe: (method: string, status: number, ms: number) => void
}): HttpServer {
  const { api, root, clock, random, log, observe } = deps
  let closing = false

  const app = fastify({
    logger: false,
    exposeHeadRoutes: false,
    return503OnClosing: false,
    forceCloseConnections: 'idle',
    bodyLimit: bounds.http.bodyBytesMax,
    keepAliveTimeout: bounds.http.keepAliveTimeoutMs,
    requestTimeout: bounds.http.requestTimeoutMs,
    connectionTimeout: 0,
    maxRequestsPerSocket: bounds.http.requestsPerSocketMax,
    genReqId: () => '',
    routerOptions: { querystringParser: () => noQuery, maxParamLength: bounds.http.headerBytesMax },
    http: {
      maxHeaderSize: bounds.http.headerBytesMax,
      headersTimeout: bounds.http.headersTimeoutMs,
      connectionsCheckingInterval: bounds.http.connectionsCheckMs,
    },
    clientErrorHandler: answerBrokenRequest,
    frameworkErrors: (_error, request, reply) => serve(request, reply as FastifyReply),
  })
  app.server.maxConnections = bounds.http.connectionsMax
  const connections = watchConnections()
  app.server.on('connection', socket => connections.opened(socket))
  app.server.on('request', (request, response) => connections.asked(request, response))
  // Bodies are read by the routes, with the bounds that hold there.
  app.removeAllContentTypeParsers()
  app.addContentTypeParser('*', (_request, _payload, done) => done(null))
  app.all('/*', serve)
  app.setNotFoundHandler(serve)
  app.setErrorHandler((_error, request, reply) => serve(request, reply))

  function serve(request: FastifyRequest, reply: FastifyReply): void {
    const startedMs = clock.monotonicMs()
    const transid = givenTransid(request.raw) ?? random.hexId()
    const done = (answer: Answer) => {
      send(reply, transid, answer, closing, clock)
      const ms = clock.monotonicMs() - startedMs
      observe(request.method, answer.status, ms)
      log.debug({ transid, method: request.method, status: answer.status, ms }, 'request answered')
    }
    const failed = (error: unknown) => {
      if (error instanceof ClientGone) return void reply.raw.destroy()
      const answer = errorAnswer(error, transid)
      if (isServerFault(error)) log.error({ transid, err: error }, 'request failed')
      done(error instanceof MethodNotAllowed ? { ...answer, headers: { allow: error.allow } } : answer)
    }
    try {
      const answer = route(request, transid)
      if (answer instanceof Promise) answer.then(done).catch(failed)
      else done(answer)
    } catch (error) {
      failed(error)
    }
  }

  function route({ raw }: FastifyRequest, transid: string): Answer | Promise<Answer> {
    const url = raw.url ?? '/'
    if (url.length > bounds.http.urlLengthMax) {
      throw new ApiError(414, `URI length exceeds the configured limit of ${bounds.http.urlLengthMax} characters`, {
        rejection: true,
      })
    }
    const target = url.startsWith('/') ? url : url.replace(/^[a-z][a-z0-9+.-]*:\/\/[^/?#]*/i, '')
    const mark = target.indexOf('?')
    const path = mark < 0 ? target : target.slice(0, mark)
    const isApi = path.startsWith(apiPrefix) && (path.length === apiPrefix.length || path[apiPrefix.length] === '/')
    if (!isApi || !api) return root.serve(raw, path)
    return api.serve(raw, path.slice(apiPrefix.length), mark < 0 ? '' : target.slice(mark + 1), transid)
  }

  /** What Node refuses before it is a request: broken syntax, headers too long, too slow. */
  function answerBrokenRequest(error: NodeJS.ErrnoException, socket: Socket): void {
    if (!socket.writable) return void socket.destroy()
    const [line, text] = brokenRequests[error.code ?? ''] ?? ['400 Bad Request', 'The request could not be understood.']
    const transid = random.hexId()
    const body = JSON.stringify({ error: text, code: transid })
    socket.end(
      `HTTP/1.1 ${line}\r\nContent-Type: application/json\r\nContent-Length: ${Buffer.byteLength(body)}\r\n` +
        `X-Request-ID: ${transid}\r\nConnection: close\r\n\r\n${body}`,
    )
  }

  return {
    app,
    async start({ host, port }) {
      try {
        await app.listen({ host, port })
      } catch (error) {
        if ((error as NodeJS.ErrnoException).code !== 'EADDRINUSE') throw error
        throw new SluiceError('SLUICE_ADDRESS_IN_USE', `port ${port} of ${host} is taken by another process`, {
          cause: error,
        })
      }
      const address = app.server.address()
      return { port: typeof address === 'object' && address !== null ? address.port : port }
    },
    async stop() {
      closing = true
      const closed = app.close()
      connections.endUnasked()
      const cuts = [
        clock.setTimer(bounds.http.drainBodyMs, () => connections.endHalfAsked()),
        clock.setTimer(bounds.http.drainMs, () => app.server.closeAllConnections()),
      ]
      try {
        await closed
      } finally {
        for (const cut of cuts) cut.cancel()
      }
    },
  }
}

/**
 * Knows which connections have a request under way. Node's own closing waits for those, too, on which nothing or half a
 * request has come: browsers open them in advance.
 */
function watchConnections() {
  const connections = new Map<Socket, Set<IncomingMessage>>()
  let ending = false
  return {
    opened(socket: Socket): void {
      if (ending) return void socket.destroy()
      connections.set(socket, new Set())
      socket.once('close', () => connections.delete(socket))
    },
    asked(request: IncomingMessage, response: ServerResponse): void {
      const requests = connections.get(request.socket)
      requests?.add(request)
      response.once('close', () => requests?.delete(request))
    },
    /** Ends those without a request, now and from now on. */
    endUnasked(): void {
      ending = true
      for (const [socket, requests] of connections) if (requests.size === 0) socket.destroy()
    },
    /** Ends those whose request has not come completely. */
    endHalfAsked(): void {
      for (const [socket, requests] of connections) {
        if ([...requests].every(request => !request.complete)) socket.destroy()
      }
    },
  }
}

const noQuery = {}

const brokenRequests: Readonly<Record<string, readonly [line: string, text: string]>> = {
  HPE_HEADER_OVERFLOW: ['431 Request Header Fields Too Large', 'The request headers are too large.'],
  ERR_HTTP_REQUEST_TIMEOUT: ['408 Request Timeout', 'The server timed out waiting for the request.'],
}

function send(reply: FastifyReply, transid: string, answer: Answer, closing: boolean, clock: Clock): void {
  const { status, body, parts, plain, activationId, headers, cors = 'api' } = answer
  reply.code(status)
  reply.header('x-request-id', transid)
  if (cors !== 'none') reply.headers(accessControl[cors])
  if (activationId !== undefined) reply.header('x-openwhisk-activation-id', activationId)
  if (body !== undefined || parts)
    reply.header('content-type', plain ? 'text/plain; charset=UTF-8' : 'application/json')
  if (headers !== undefined) reply.headers(headers)
  // What is left of a refused body is thrown away as it comes; only a sender that is too slow loses its connection.
  if (closing || status === 408) reply.header('connection', 'close')
  if (parts) return sendParts(reply, parts, clock)
  // Bytes, because text would get a charset that OpenWhisk's answers do not have.
  const bytes = body === undefined ? undefined : Buffer.from(body)
  const isLast = closing || reply.request.headers.connection?.toLowerCase() === 'close'
  if (bytes !== undefined && isLast && status !== 408 && !reply.request.raw.complete) linger(reply, bytes, clock)
  else reply.send(bytes)
}

/** One part after the other, no faster than the client takes them, and not for ever. */
function sendParts(reply: FastifyReply, { texts, done }: NonNullable<Answer['parts']>, clock: Clock): void {
  const stream = Readable.from(texts, { objectMode: true, highWaterMark: 1 })
  const timer = clock.setTimer(bounds.http.streamMsMax, () => stream.destroy(new Error('the client took too long')))
  stream.once('close', () => {
    timer.cancel()
    done()
  })
  reply.send(stream)
}

/**
 * Answers at once, but ends the connection only when the rest of the body has come, or too much time went by: to close
 * while bytes are under way would reset it, and the client, still sending, would never see the answer.
 */
function linger(reply: FastifyReply, bytes: Buffer, clock: Clock): void {
  const { raw: response, request } = reply
  reply.header('content-length', bytes.length)
  reply.hijack()
  response.writeHead(reply.statusCode, reply.getHeaders() as OutgoingHttpHeaders)
  response.write(bytes)
  const end = (): void => {
    timer.cancel()
    response.end()
  }
  const timer = clock.setTimer(bounds.http.lingerMs, end)
  request.raw.once('close', end).once('end', end).on('error', end).resume()
}
