import type { IncomingMessage } from 'node:http'
import { ApiError, bounds, messages } from '../model/index.ts'
import type { Clock, Timer } from '../spi/index.ts'

/** Reads bodies of requests with bounds on size, time, and on what all of them hold at once. */
export interface BodyReader {
  /** At once when there is no body. Rejects with ApiError: 413 as soon as more than `bytesMax` bytes are announced or
   *  have come, 408 after `bounds.http.bodyTimeoutMs`, 503 when too many bytes are held; with ClientGone when the client
   *  went away. */
  read(request: IncomingMessage, bytesMax: number): Buffer | Promise<Buffer>
}

/** The client closed its connection before its request was complete: there is nobody to answer. */
export class ClientGone extends Error {
  override readonly name = 'ClientGone'
}

const empty = Buffer.alloc(0)

type Pending = { deadlineMs: number; expire: () => void }

export function createBodyReader(clock: Clock): BodyReader {
  const pending = new Set<Pending>()
  let sweeper: Timer | undefined
  let bytesHeld = 0

  /** One timer for all bodies: most are complete long before it rings. */
  function sweep(): void {
    sweeper = undefined
    const nowMs = clock.monotonicMs()
    for (const body of pending) if (body.deadlineMs <= nowMs) body.expire()
    arm()
  }
  function arm(): void {
    if (sweeper === undefined && pending.size > 0) {
      sweeper = clock.setTimer(bounds.http.bodySweepMs, sweep, { unref: true })
    }
  }

  function readAll(request: IncomingMessage, bytesMax: number): Promise<Buffer> {
    return new Promise((resolve, reject) => {
      const chunks: Buffer[] = []
      let bytes = 0
      const body: Pending = {
        deadlineMs: clock.monotonicMs() + bounds.http.bodyTimeoutMs,
        expire: () => stop(new ApiError(408, 'The server timed out waiting for the request.', { rejection: true })),
      }
      const stop = (error?: Error) => {
        pending.delete(body)
        bytesHeld -= bytes
        request.off('data', onData).off('end', onEnd).off('close', onClose).off('error', onClose)
        if (error === undefined) return
        // What still comes is thrown away, so that the answer is not lost in a reset.
        if (!(error instanceof ClientGone)) request.on('error', () => {}).resume()
        reject(error)
      }
      const onData = (chunk: Buffer) => {
        bytes += chunk.length
        bytesHeld += chunk.length
        chunks.push(chunk)
        if (bytes > bytesMax) stop(tooLarge(bytes, bytesMax))
        else if (bytesHeld > bounds.http.bodyBytesHeldMax) stop(new ApiError(503, messages.unavailable))
      }
      const onEnd = () => {
        stop()
        resolve(chunks.length === 1 ? (chunks[0] ?? empty) : Buffer.concat(chunks, bytes))
      }
      const onClose = () => stop(new ClientGone('the client closed the connection before its request was complete'))
      request.on('data', onData).on('end', onEnd).on('close', onClose).on('error', onClose)
      pending.add(body)
      arm()
    })
  }

  return {
    read(request, bytesMax) {
      const { 'content-length': announced, 'transfer-encoding': encoding } = request.headers
      if (encoding === undefined && (announced === undefined || announced === '0')) return empty
      const bytes = Number(announced ?? 0)
      if (bytes > bytesMax) throw tooLarge(bytes, bytesMax)
      return readAll(request, bytesMax)
    },
  }
}

/** The ceiling of the server has the status' own text; a payload's limit names both numbers. */
function tooLarge(bytes: number, bytesMax: number): ApiError {
  return bytesMax >= bounds.http.bodyBytesMax
    ? new ApiError(413, defaultTexts.tooLarge)
    : new ApiError(413, messages.requestTooLarge(bytes, bytesMax))
}

const defaultTexts = { tooLarge: 'The request content is larger than the server is willing or able to process.' }
