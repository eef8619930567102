import { once } from 'node:events'
import { chmodSync, mkdirSync, writeFileSync } from 'node:fs'
import { Agent, request, type IncomingHttpHeaders, type IncomingMessage } from 'node:http'
import type { Socket } from 'node:net'
import { dirname, join } from 'node:path'
import { buffer } from 'node:stream/consumers'

export const sentinel = 'XXX_THE_END_OF_A_WHISK_ACTIVATION_XXX'

export type Reply = { status: number; body: any; text: string; headers: IncomingHttpHeaders }
export type Sentinels = { stdout: number; stderr: number }
export type Logs = { stdout: string; stderr: string; sentinels: Sentinels }
export type Exit = { code: number | null; signal: string | null }
export type Stream = 'stdout' | 'stderr'

/** A runtime that a test started, as the platform would see it. */
export type TestContainer = {
  /** Path of the folder that the test shares with it, as the runtime sees it. */
  readonly shared: string
  readonly exited: Promise<Exit>
  post(path: string, body: string | object, method?: string): Promise<Reply>
  init(code: string | null, options?: { main?: string; env?: object | null }): Promise<Reply>
  run(value?: unknown, fields?: object): Promise<Reply>
  /** A connection to the runtime's door, for bytes that are no request. */
  connect(): Socket
  kill(signal: 'SIGTERM' | 'SIGKILL'): Promise<void>
  /** All written so far; sentinels included. */
  output(stream: Stream): string
  /** Resolves when the stream has shown the text. */
  shows(stream: Stream, text: string): Promise<void>
  /** Ends the runtime; its whole log without sentinels, trimmed, and how many lines on each stream were sentinels. */
  logs(): Promise<Logs>
}

export type StartOptions = {
  /** Variables of the container, as a driver gives them. */
  readonly env?: Readonly<Record<string, string>>
  /** Files that lie in a folder which the runtime sees; `{shared}` in a variable stands for that folder's path. */
  readonly files?: Readonly<Record<string, string>>
}

/** Where a test's runtime runs: as a process, or in a container of an engine. */
export type Way = {
  readonly name: string
  /** Why it is not possible here; nothing if it is. */
  missing(): Promise<string | undefined>
  start(options?: StartOptions): Promise<TestContainer>
}

/** What is the same for every way: requests over a unix socket, and the log. */
export class ContainerClient {
  readonly #socketPath: string
  readonly #agent = new Agent({ keepAlive: true })
  readonly #written = { stdout: '', stderr: '' }
  readonly #waiting = new Set<() => void>()

  constructor(socketPath: string) {
    this.#socketPath = socketPath
  }

  async post(path: string, body: string | object, method = 'POST'): Promise<Reply> {
    const headers = { 'Content-Type': 'application/json' }
    const sent = request({ socketPath: this.#socketPath, path, method, agent: this.#agent, headers })
    sent.end(typeof body === 'string' ? body : JSON.stringify(body))
    const [response] = (await once(sent, 'response')) as [IncomingMessage]
    const text = (await buffer(response)).toString()
    return { status: response.statusCode ?? 0, text, body: parsed(text), headers: response.headers }
  }

  init(
    code: string | null,
    { main = 'main', env = null }: { main?: string; env?: object | null } = {},
  ): Promise<Reply> {
    return this.post('/init', { value: { name: 'test', main, code, binary: code !== null && isBinary(code), env } })
  }

  run(value: unknown = {}, fields: object = {}): Promise<Reply> {
    return this.post('/run', { value, ...fields })
  }

  /** Adds to the log what the runtime has written. */
  written(stream: Stream, text: string): void {
    this.#written[stream] += text
    for (const look of this.#waiting) look()
  }

  output(stream: Stream): string {
    return this.#written[stream]
  }

  shows(stream: Stream, text: string): Promise<void> {
    return new Promise(resolve => {
      const look = () => {
        if (!this.#written[stream].includes(text)) return
        this.#waiting.delete(look)
        resolve()
      }
      this.#waiting.add(look)
      look()
    })
  }

  logs(): Logs {
    const [stdout, stderr] = [strip(this.#written.stdout), strip(this.#written.stderr)]
    return { stdout: stdout.text, stderr: stderr.text, sentinels: { stdout: stdout.count, stderr: stderr.count } }
  }

  close(): void {
    this.#agent.destroy()
  }
}

/** Writes a test's files, as programs, into the folder that it shares with its runtime. */
export function placeFiles(folder: string, files: Readonly<Record<string, string>>): void {
  for (const [name, content] of Object.entries(files)) {
    mkdirSync(dirname(join(folder, name)), { recursive: true })
    writeFileSync(join(folder, name), content)
    chmodSync(join(folder, name), 0o755)
  }
}

/** Puts the path of the shared folder into variables. */
export function withShared(env: Readonly<Record<string, string>>, shared: string): Record<string, string> {
  return Object.fromEntries(Object.entries(env).map(([name, value]) => [name, value.replaceAll('{shared}', shared)]))
}

/** Tells archives from text as the platform does (runtimes.md §4.2). */
function isBinary(code: string): boolean {
  return code !== '' && code.length % 4 === 0 && /^[A-Za-z0-9+/]*={0,2}$/.test(code)
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text) as unknown
  } catch {
    return undefined
  }
}

function strip(output: string): { text: string; count: number } {
  const lines = output.split('\n')
  const others = lines.filter(line => line !== sentinel)
  return { text: others.join('\n').trim(), count: lines.length - others.length }
}
