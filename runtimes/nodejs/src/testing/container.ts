import { spawn, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, rmSync } from 'node:fs'
import { Agent, request, type IncomingHttpHeaders, type IncomingMessage } from 'node:http'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { buffer } from 'node:stream/consumers'
import { onTestFinished } from 'vitest'
import { nodejsRuntime } from '../index.ts'
import { builtServer } from './built-server.ts'

export const sentinel = 'XXX_THE_END_OF_A_WHISK_ACTIVATION_XXX'

export type Reply = { status: number; body: any; text: string; headers: IncomingHttpHeaders }
export type Logs = { stdout: string; stderr: string; sentinels: { stdout: number; stderr: number } }

/** A runtime process of this test, as the platform would see a container. */
export type TestContainer = {
  readonly process: ChildProcess
  /** Where the process runs and unpacks; removed after the test. */
  readonly folder: string
  readonly exited: Promise<{ code: number | null; signal: string | null }>
  post(path: string, body: string | object, method?: string): Promise<Reply>
  init(code: string | null, options?: { main?: string; env?: object | null }): Promise<Reply>
  run(value?: unknown, fields?: object): Promise<Reply>
  /** All written so far; sentinels included. */
  output(stream: 'stdout' | 'stderr'): string
  /** Resolves when the stream has shown the text. */
  shows(stream: 'stdout' | 'stderr', text: string): Promise<void>
  /** Ends the process; its whole log without sentinels, trimmed, and how many lines on each stream were sentinels. */
  logs(): Promise<Logs>
}

/** Starts the runtime on a unix socket and waits until it listens. */
export async function startContainer(env: Record<string, string> = {}): Promise<TestContainer> {
  const folder = mkdtempSync(join(tmpdir(), 'runtime-nodejs-'))
  const socketPath = join(folder, 'runtime.sock')
  const child = spawn(process.execPath, [...nodejsRuntime().nodeArgs(256), await builtServer()], {
    cwd: folder,
    env: { PATH: process.env['PATH'], TMPDIR: folder, SLUICE_LISTEN: socketPath, SLUICE_READY_FD: '3', ...env },
    stdio: ['ignore', 'pipe', 'pipe', 'pipe'],
  })
  const agent = new Agent({ keepAlive: true })
  const exited = new Promise<{ code: number | null; signal: string | null }>(resolve =>
    child.on('exit', (code, signal) => resolve({ code, signal })),
  )
  const closed = once(child, 'close')
  onTestFinished(async () => {
    agent.destroy()
    child.kill('SIGKILL')
    await closed
    rmSync(folder, { recursive: true, force: true })
  })
  const written = { stdout: '', stderr: '' }
  for (const stream of ['stdout', 'stderr'] as const) {
    child[stream]!.setEncoding('utf8').on('data', (text: string) => (written[stream] += text))
  }
  await once(child.stdio[3] as NodeJS.ReadableStream, 'data')

  const post: TestContainer['post'] = async (path, body, method = 'POST') => {
    const sent = request({ socketPath, path, method, agent, headers: { 'Content-Type': 'application/json' } })
    sent.end(typeof body === 'string' ? body : JSON.stringify(body))
    const [response] = (await once(sent, 'response')) as [IncomingMessage]
    const text = (await buffer(response)).toString()
    return { status: response.statusCode!, text, body: JSON.parse(text) as unknown, headers: response.headers }
  }
  return {
    process: child,
    folder,
    exited,
    post,
    init: (code, { main = 'main', env = null } = {}) =>
      post('/init', { value: { name: 'test', main, code, binary: code !== null && isBinary(code), env } }),
    run: (value = {}, fields = {}) => post('/run', { value, ...fields }),
    output: stream => written[stream],
    async shows(stream, text) {
      while (!written[stream].includes(text)) await once(child[stream]!, 'data')
    },
    async logs() {
      child.kill('SIGKILL')
      await closed
      const [stdout, stderr] = [strip(written.stdout), strip(written.stderr)]
      return {
        stdout: stdout.text,
        stderr: stderr.text,
        sentinels: { stdout: stdout.count, stderr: stderr.count },
      }
    },
  }
}

/** Tells archives from text as the platform does (runtimes.md §4.2). */
function isBinary(code: string): boolean {
  return code !== '' && code.length % 4 === 0 && /^[A-Za-z0-9+/]*={0,2}$/.test(code)
}

function strip(output: string): { text: string; count: number } {
  const lines = output.split('\n')
  const others = lines.filter(line => line !== sentinel)
  return { text: others.join('\n').trim(), count: lines.length - others.length }
}
