import { spawn, spawnSync, type ChildProcess } from 'node:child_process'
import {
  accessSync,
  constants,
  mkdtempSync,
  openSync,
  closeSync,
  readFileSync,
  readdirSync,
  rmSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { delimiter, join } from 'node:path'
import { eventually } from './api.ts'
import { engineSocket } from './docker-needed.ts'
import { engineClient, type EngineClient } from './engine-client.ts'

/**
 * A container engine of the tests' own, which they may stop: the machine's is never touched (reliability.md §7). It has its
 * own network namespace, data, and child processes, and reaches nothing.
 */
export type OwnEngine = EngineClient & {
  /** As configurations name it. */
  readonly address: string
  /** Ends the engine. Its containers live on, unless `withContainers`: that is what engines do by default. Resolves when it
   *  is gone. */
  stop(how?: { withContainers: boolean }): Promise<void>
  /** Kills it with its containers, as when the machine loses power. */
  crash(): Promise<void>
  /** Starts it again; resolves when it answers. */
  start(): Promise<void>
  /** A registry on the engine's loopback that accepts and never answers; `host` is what images there begin with. */
  hangingRegistry(): Promise<{ host: string; connected: Promise<void>; close(): void }>
  /** Removes all containers, ends everything and removes the data. */
  close(): Promise<void>
}

const tools = ['dockerd', 'unshare', 'nsenter', 'ip']

/** Why there can be no engine of our own here; empty: there can. */
export function ownEngineMissing(): string {
  if (process.platform !== 'linux' || process.getuid?.() !== 0)
    return 'needs docker: a second engine is started as root'
  const absent = tools.filter(tool => !isOnPath(tool))
  return absent.length === 0 ? '' : `needs docker: a second engine is started with ${absent.join(', ')}`
}

function isOnPath(tool: string): boolean {
  return (process.env.PATH ?? '').split(delimiter).some(folder => {
    try {
      accessSync(join(folder, tool), constants.X_OK)
      return true
    } catch {
      return false
    }
  })
}

/** Starts one that has these images of the machine's engine. */
export async function openOwnEngine(images: readonly string[]): Promise<OwnEngine> {
  const folder = mkdtempSync(join(tmpdir(), 'sluice-engine-'))
  const socket = join(folder, 'engine.sock')
  const client = engineClient(socket)
  let engine: ChildProcess | undefined
  let registry: ChildProcess | undefined

  const configure = (settings: object): void => writeFileSync(join(folder, 'daemon.json'), JSON.stringify(settings))

  async function start(): Promise<void> {
    const log = openSync(join(folder, 'log'), 'a')
    // Containers outlive an engine that is stopped.
    configure({ 'live-restore': true })
    const options = {
      'config-file': join(folder, 'daemon.json'),
      'data-root': join(folder, 'data'),
      'exec-root': join(folder, 'run'),
      pidfile: join(folder, 'pid'),
      host: `unix://${socket}`,
      // No network but a container's own loopback, and no rule of the machine's firewall is touched.
      bridge: 'none',
      iptables: 'false',
      'ip-forward': 'false',
      'ip-masq': 'false',
    }
    const words = Object.entries(options).map(([name, value]) => `--${name}=${value}`)
    const script = 'ip link set lo up && exec dockerd "$@"'
    engine = spawn('unshare', ['--net', 'sh', '-c', script, 'sh', ...words], { stdio: ['ignore', log, log] })
    closeSync(log)
    const ended = new Promise<number | null>(resolve => engine?.once('exit', resolve))
    let code: number | null | undefined
    void ended.then(found => (code = found))
    await eventually(async () => {
      if (code !== undefined) throw new Error(`The engine ended with code ${code}: ${lastWords()}`)
      return (await client.call('GET', '/_ping').catch(() => undefined))?.status === 200
    }, 30_000)
  }

  const lastWords = (): string => readFileSync(join(folder, 'log'), 'utf8').slice(-1000)

  async function stop({ withContainers } = { withContainers: false }): Promise<void> {
    const gone = exitOf(engine)
    if (withContainers) {
      configure({ 'live-restore': false })
      engine?.kill('SIGHUP')
      await eventually(
        async () =>
          ((await client.call('GET', '/info')).body as { LiveRestoreEnabled: boolean }).LiveRestoreEnabled === false,
      )
    }
    engine?.kill('SIGTERM')
    await gone
  }

  /** The engine, its helper, what holds containers, and what runs in them. */
  async function crash(): Promise<void> {
    const gone = exitOf(engine)
    const pids = processesOf(folder)
    for (const pid of [...pids, ...descendantsOf(pids)]) kill(pid)
    await gone
    await eventually(() => Promise.resolve(processesOf(folder).length === 0))
  }

  await start()
  for (const image of images) await copyImage(image, client)

  return {
    ...client,
    address: `unix://${socket}`,
    start,
    stop,
    crash,
    async hangingRegistry() {
      const port = 5999
      const program = join(import.meta.dirname, 'hanging-registry.mjs')
      const words = ['--net', `--target=${engine?.pid}`, process.execPath, program, String(port)]
      const hanging = spawn('nsenter', words, { stdio: ['ignore', 'pipe', 'inherit'] })
      registry = hanging
      const says = (word: string): Promise<void> =>
        new Promise(resolve => {
          hanging.stdout.on('data', (chunk: Buffer) => chunk.toString().includes(word) && resolve())
        })
      const connected = says('connected')
      await says('listening')
      return { host: `127.0.0.1:${port}`, connected, close: () => void hanging.kill('SIGKILL') }
    },
    async close() {
      registry?.kill('SIGKILL')
      if (!engine || engine.exitCode !== null || engine.signalCode !== null) await start()
      const { body } = await client.call('GET', '/containers/json?all=true')
      for (const { Id } of body as { Id: string }[]) await client.call('DELETE', `/containers/${Id}?force=true`)
      await stop()
      await eventually(() => Promise.resolve(processesOf(folder).length === 0))
      unmountBelow(folder)
      rmSync(folder, { recursive: true, force: true, maxRetries: 5 })
    },
  }
}

function exitOf(child: ChildProcess | undefined): Promise<unknown> {
  if (!child || child.exitCode !== null || child.signalCode !== null) return Promise.resolve()
  return new Promise(resolve => child.once('exit', resolve))
}

function kill(pid: number): void {
  try {
    process.kill(pid, 'SIGKILL')
  } catch {
    // It has ended meanwhile.
  }
}

async function copyImage(image: string, to: EngineClient): Promise<void> {
  const saved = await engineClient(engineSocket).stream(`/images/${image}/get`)
  const { status, body } = await to.call('POST', '/images/load?quiet=true', saved)
  if (status !== 200) throw new Error(`${image} was not loaded: ${status} ${JSON.stringify(body)}`)
}

/** Processes that name the engine's folder: the engine, its helper, what holds containers. */
function processesOf(folder: string): number[] {
  return readdirSync('/proc')
    .filter(name => /^\d+$/.test(name) && Number(name) !== process.pid)
    .map(Number)
    .filter(pid => {
      try {
        return readFileSync(`/proc/${pid}/cmdline`, 'utf8').includes(folder)
      } catch {
        return false
      }
    })
}

/** Children of these, and theirs. */
function descendantsOf(pids: readonly number[]): number[] {
  const family = new Set(pids)
  const parents = readdirSync('/proc')
    .filter(name => /^\d+$/.test(name))
    .map(pid => [Number(pid), parentOf(pid)] as const)
  for (let before = -1; before !== family.size;) {
    before = family.size
    for (const [pid, parent] of parents) if (family.has(parent)) family.add(pid)
  }
  return [...family].filter(pid => !pids.includes(pid))
}

function parentOf(pid: string): number {
  try {
    return Number(/^PPid:\s+(\d+)/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1])
  } catch {
    return 0
  }
}

/** File systems of containers that a crash left mounted, the inner ones first. */
function unmountBelow(folder: string): void {
  const paths = readFileSync('/proc/self/mounts', 'utf8')
    .split('\n')
    .map(line => line.split(' ')[1] ?? '')
    .filter(path => path.startsWith(`${folder}/`))
  for (const path of paths.reverse()) spawnSync('umount', ['--lazy', path])
}
