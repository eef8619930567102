import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, rmSync } from 'node:fs'
import { connect } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { onTestFinished } from 'vitest'
import {
  ContainerClient,
  placeFiles,
  withShared,
  type Exit,
  type StartOptions,
  type TestContainer,
  type Way,
} from './container.ts'

export type Program = {
  readonly command: string
  readonly args: readonly string[]
  readonly env: Readonly<Record<string, string>>
}

/**
 * A runtime that is a plain process of this machine, as a hub without an engine starts it. `program` is asked once it is
 * needed: what has to be built is built then. It gets a folder of its own and its socket's path in it.
 */
export function processWay(
  missing: () => Promise<string | undefined>,
  program: (folder: string, socketPath: string) => Promise<Program>,
): Way {
  return { name: 'as a process', missing, start: options => start(options ?? {}, program) }
}

async function start(
  { env = {}, files = {} }: StartOptions,
  program: (folder: string, socketPath: string) => Promise<Program>,
): Promise<TestContainer> {
  const folder = mkdtempSync(join(tmpdir(), 'runtime-'))
  const socketPath = join(folder, 's')
  const { command, args, env: own } = await program(folder, socketPath)
  placeFiles(folder, files)
  const child = spawn(command, args, {
    cwd: folder,
    env: { PATH: process.env['PATH'], TMPDIR: folder, ...withShared({ ...own, ...env }, folder) },
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  const client = new ContainerClient(socketPath)
  const exited = new Promise<Exit>(resolve => child.on('exit', (code, signal) => resolve({ code, signal })))
  const closed = once(child, 'close')
  for (const stream of ['stdout', 'stderr'] as const) {
    child[stream].setEncoding('utf8').on('data', (text: string) => client.written(stream, text))
  }
  onTestFinished(async () => {
    client.close()
    child.kill('SIGKILL')
    await exited
    child.stdout.destroy()
    child.stderr.destroy()
    rmSync(folder, { recursive: true, force: true })
  })
  await untilListening(socketPath)
  return {
    shared: folder,
    exited,
    post: (path, body, method) => client.post(path, body, method),
    init: (code, options) => client.init(code, options),
    run: (value, fields) => client.run(value, fields),
    connect: () => connect(socketPath),
    kill: async signal => void child.kill(signal),
    output: stream => client.output(stream),
    shows: (stream, text) => client.shows(stream, text),
    async logs() {
      child.kill('SIGKILL')
      await Promise.race([closed, exited.then(() => delay(500))])
      return client.logs()
    },
  }
}

const listenMsMax = 10_000

/** Knocks until somebody opens. */
export async function untilListening(socketPath: string): Promise<void> {
  const endMs = performance.now() + listenMsMax
  while (!(await answers(socketPath))) {
    if (performance.now() > endMs) throw new Error(`nothing listens at ${socketPath}`)
    await delay(5)
  }
}

async function answers(socketPath: string): Promise<boolean> {
  const socket = connect(socketPath)
  try {
    await once(socket, 'connect')
    return true
  } catch {
    return false
  } finally {
    socket.destroy()
  }
}
