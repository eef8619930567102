import { spawn } from 'node:child_process'
import { join } from 'node:path'
import { repository } from './hub-process.ts'

/** A provider in a process of its own, against a hub. */
export type ProviderProcess = {
  readonly port: number
  output(): string
  kill(): Promise<void>
  /** SIGTERM; resolves to the exit code. */
  stop(): Promise<number | null>
}

const program = 'const { main } = await import(process.argv[1]); await main(process.argv.slice(2))'

/** Starts the alarms against the hub whose data lie in `dataDir`, and resolves when they listen. */
export async function startAlarms(options: {
  hubUrl: string
  dataDir: string
  port: number
  /** The hub's door for operators, when that is another. */
  stateUrl?: string
}): Promise<ProviderProcess> {
  const child = spawn(
    process.execPath,
    [
      ...['--input-type=module', '-e', program, join(repository, 'hub/dist/src/provider-host-main.js')],
      ...['--provider', 'alarms', '--hub', options.hubUrl, '--port', String(options.port)],
      ...(options.stateUrl === undefined ? [] : ['--state', options.stateUrl]),
      ...['--master-key-file', join(options.dataDir, 'master-key')],
    ],
    { env: { PATH: process.env.PATH ?? '' }, stdio: ['ignore', 'pipe', 'pipe'] },
  )
  let text = ''
  const exited = new Promise<number | null>(done => child.once('exit', code => done(code)))
  const port = await new Promise<number>((done, fail) => {
    const add = (chunk: Buffer) => {
      text += chunk.toString()
      const found = /listens on port (\d+)/.exec(text)
      if (found) done(Number(found[1]))
    }
    child.stdout.on('data', add)
    child.stderr.on('data', add)
    void exited.then(code => fail(new Error(`The provider ended with code ${code}:\n${text}`)))
  })
  return {
    port,
    output: () => text,
    async kill() {
      child.kill('SIGKILL')
      await exited
    },
    stop() {
      child.kill('SIGTERM')
      return exited
    },
  }
}
