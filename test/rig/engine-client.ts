import { request } from 'node:http'
import type { Readable } from 'node:stream'

/** The Engine API as tests need it: one call, its whole answer. */
export type EngineClient = {
  /** Rejects when nobody answers. `body` is sent as JSON, or as it comes if it is a stream. */
  call(method: string, path: string, body?: object | Readable): Promise<{ status: number; body: any }>
  /** The answer as it comes. */
  stream(path: string): Promise<Readable>
}

export function engineClient(socketPath: string): EngineClient {
  const send = (method: string, path: string, body?: object | Readable): Promise<Readable & { statusCode?: number }> =>
    new Promise((resolve, reject) => {
      const streamed = body !== undefined && 'pipe' in body
      const type = streamed ? 'application/x-tar' : 'application/json'
      const headers = body === undefined ? {} : { 'content-type': type }
      const sent = request({ socketPath, method, path, headers, agent: false }, resolve)
      sent.once('error', reject)
      if (streamed) body.pipe(sent)
      else sent.end(body === undefined ? undefined : JSON.stringify(body))
    })
  return {
    async call(method, path, body) {
      const response = await send(method, path, body)
      let text = ''
      for await (const chunk of response) text += String(chunk)
      return { status: response.statusCode ?? 0, body: parsed(text) }
    },
    stream: path => send('GET', path),
  }
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return text
  }
}
