import { request, type IncomingMessage } from 'node:http'
import { once } from 'node:events'
import { text } from 'node:stream/consumers'
import { onTestFinished } from 'vitest'
import { tarGz, type Files } from './archives.ts'

/** As much of the Engine API as tests need. Tests share folders with containers, so the engine must be on this machine. */
const socketPath = (process.env['DOCKER_HOST'] ?? 'unix:///var/run/docker.sock').replace(/^unix:\/\//, '')

export async function engine(method: string, path: string, body?: object): Promise<{ status: number; body: any }> {
  const response = await call(method, path, body)
  const content = await text(response)
  return { status: response.statusCode ?? 0, body: content.startsWith('{') ? JSON.parse(content) : content }
}

/** Calls what has to succeed. */
export async function engineDoes(method: string, path: string, body?: object): Promise<any> {
  const answer = await engine(method, path, body)
  if (answer.status >= 400) throw new Error(`${method} ${path}: ${answer.status} ${JSON.stringify(answer.body)}`)
  return answer.body
}

/** Why images cannot be tested here; nothing if they can. */
export async function missingImage(image: string): Promise<string | undefined> {
  const answer = await engine('GET', `/images/${image}/json`).catch(() => undefined)
  if (answer === undefined) return 'needs docker: no engine answers'
  return answer.status === 200 ? undefined : `needs docker: there is no image ${image}, npm run images builds it`
}

/** Builds an image from files, a Dockerfile among them, without a network; it goes with the test. */
export async function buildImage(tag: string, files: Files): Promise<void> {
  const query = new URLSearchParams({ t: tag, networkmode: 'none', forcerm: 'true' })
  onTestFinished(() => engine('DELETE', `/images/${tag}?force=1`).then(() => undefined))
  const steps = await text(await call('POST', `/build?${query}`, Buffer.from(await tarGz(files), 'base64')))
  if (!steps.includes('Successfully tagged')) throw new Error(`${tag} could not be built: ${steps}`)
}

/** Follows both streams of a container from its beginning; resolves when it has ended. */
export async function followLogs(
  id: string,
  onText: (stream: 'stdout' | 'stderr', text: string) => void,
): Promise<void> {
  const response = await call('GET', `/containers/${id}/logs?follow=1&stdout=1&stderr=1`)
  const decoders = { stdout: new TextDecoder(), stderr: new TextDecoder() }
  let rest = Buffer.alloc(0)
  for await (const chunk of response as AsyncIterable<Buffer>) {
    rest = Buffer.concat([rest, chunk])
    while (rest.length >= 8 && rest.length >= 8 + rest.readUInt32BE(4)) {
      const end = 8 + rest.readUInt32BE(4)
      const stream = rest[0] === 2 ? 'stderr' : 'stdout'
      onText(stream, decoders[stream].decode(rest.subarray(8, end), { stream: true }))
      rest = rest.subarray(end)
    }
  }
}

/** `body` is sent as JSON, or as the archive that it is. */
async function call(method: string, path: string, body?: object): Promise<IncomingMessage> {
  const type = Buffer.isBuffer(body) ? 'application/x-tar' : 'application/json'
  const sent = request({ socketPath, method, path, headers: body === undefined ? {} : { 'Content-Type': type } })
  sent.end(body === undefined || Buffer.isBuffer(body) ? body : JSON.stringify(body))
  const [response] = (await once(sent, 'response')) as [IncomingMessage]
  return response
}
