import { spawn, spawnSync, type ChildProcess } from 'node:child_process'
import { createHash } from 'node:crypto'
import { chownSync, existsSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join, resolve } from 'node:path'
import { fileURLToPath } from 'node:url'

/** Runs the built hub as a process of its own, as `npm start` does, and can end it in every way. */
export type HubProcess = {
  readonly url: string
  readonly dataDir: string
  /** `uuid:key` by namespace: guest, and `alpha` and `beta`, which are empty. */
  readonly keys: Readonly<Record<'guest' | 'alpha' | 'beta', string>>
  readonly pid: number
  /** Everything it has printed so far. */
  output(): string
  /** Ends it at once, as a crash would; resolves when the process is gone. */
  kill(): Promise<void>
  /** SIGTERM; resolves to the exit code. */
  stop(): Promise<number | null>
  /** Resolves when the process is gone, to its exit code. */
  readonly exited: Promise<number | null>
}

export type HubOptions = {
  /** Kept by the caller; without one a fresh folder is made. */
  readonly dataDir?: string
  readonly args?: readonly string[]
  readonly env?: Readonly<Record<string, string>>
  /** Further lines of the configuration file. */
  readonly config?: string
  /** 0 (default) takes a free one. */
  readonly port?: number
  /** Longest wait for the banner. */
  readonly startMs?: number
  /** How actions are run; what SLUICE_TEST_CONTAINERS says unless given. */
  readonly containers?: 'process' | 'docker' | 'auto'
  /** User and group that it runs as; only root can say so. The folder of `dataDir` must be his. */
  readonly user?: number
}

/** Keys that only tests use; drawn once, so that a restarted hub knows them again. */
export const testKeys = {
  alpha: `11111111-1111-4111-8111-111111111111:${'alphaKEY'.repeat(8)}`,
  beta: `22222222-2222-4222-8222-222222222222:${'betakEY0'.repeat(8)}`,
}

export const repository = resolve(dirname(fileURLToPath(import.meta.url)), '../..')
const program = join(repository, 'hub/dist/src/bin.js')

export function scratchDirectory(): string {
  return mkdtempSync(join(tmpdir(), 'sluice-test-'))
}

/** Removes a folder, and the containers of a hub that was killed with its data in there: nobody else would. */
export function removeDirectory(directory: string): void {
  if (process.env.SLUICE_TEST_CONTAINERS === 'docker') removeContainers(join(directory, 'data'))
  rmSync(directory, { recursive: true, force: true, maxRetries: 5 })
}

function removeContainers(dataDir: string): void {
  const digest = (text: string): string => createHash('sha256').update(text).digest('hex')
  const owner = digest(resolve(dataDir)).slice(0, 16)
  const filter = `label=sluice.installation=${owner}`
  const { stdout } = spawnSync('docker', ['ps', '-aq', '--filter', filter], { encoding: 'utf8' })
  const ids = (stdout ?? '').split('\n').filter(id => id !== '')
  if (ids.length > 0) spawnSync('docker', ['rm', '-f', ...ids])
  const sockets = `sluice-d-${digest(`${owner}.0`).slice(0, 12)}-`
  for (const name of readdirSync(tmpdir())) {
    if (name.startsWith(sockets)) rmSync(join(tmpdir(), name), { recursive: true, force: true })
  }
}

/** Starts a hub and resolves when it answers requests. Rejects with its output when it ends before that. */
export async function startHub(options: HubOptions = {}): Promise<HubProcess> {
  if (!existsSync(program)) throw new Error('The hub is not built: run npm run build first (npm test does).')
  const dataDir = options.dataDir ?? join(scratchDirectory(), 'data')
  const configFile = join(dirname(dataDir), 'sluice.yaml')
  const identities = Object.entries(testKeys).map(
    ([namespace, key]) => `  - { namespace: ${namespace}, key: '${key}' }`,
  )
  writeFileSync(configFile, ['identities:', ...identities, options.config ?? ''].join('\n'), { mode: 0o600 })
  if (options.user !== undefined) chownSync(configFile, options.user, options.user)
  const args = [
    program,
    '--config',
    configFile,
    '--data-dir',
    dataDir,
    '--port',
    String(options.port ?? 0),
    // The same tests for both ways of running actions: SLUICE_TEST_CONTAINERS=docker.
    '--containers',
    options.containers ?? process.env.SLUICE_TEST_CONTAINERS ?? 'process',
    ...(options.args ?? ['--no-samples']),
  ]
  const child = spawn(process.execPath, args, {
    cwd: dirname(dataDir),
    env: { PATH: process.env.PATH ?? '', HOME: dirname(dataDir), ...options.env },
    stdio: ['ignore', 'pipe', 'pipe'],
    ...(options.user === undefined ? {} : { uid: options.user, gid: options.user }),
  })
  const exited = new Promise<number | null>(done => child.once('exit', code => done(code)))
  const text = collect(child)
  await ready(child, text, exited, options.startMs ?? 30_000).catch((error: unknown) => {
    // Nobody else knows of it.
    child.kill('SIGKILL')
    throw error
  })
  const url = /API host\s+(\S+)/.exec(text())?.[1] ?? ''
  const guest = /guest key\s+(\S+)/.exec(text())?.[1] ?? ''
  return {
    url,
    dataDir,
    keys: { guest, ...testKeys },
    pid: child.pid ?? 0,
    output: text,
    exited,
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

function collect(child: ChildProcess): () => string {
  let text = ''
  const add = (chunk: Buffer): void => {
    text = (text + chunk.toString()).slice(-1_000_000)
  }
  child.stdout?.on('data', add)
  child.stderr?.on('data', add)
  return () => text
}

async function ready(
  child: ChildProcess,
  text: () => string,
  exited: Promise<number | null>,
  withinMs: number,
): Promise<void> {
  await new Promise<void>((done, fail) => {
    const timer = setTimeout(() => fail(new Error(`The hub was not ready in ${withinMs} ms:\n${text()}`)), withinMs)
    const look = (): void => {
      // The list of things to try ends the banner.
      if (!text().includes('Events, as they come')) return
      clearTimeout(timer)
      done()
    }
    child.stdout?.on('data', look)
    void exited.then(code => {
      clearTimeout(timer)
      fail(new Error(`The hub ended with code ${code} before it was ready:\n${text()}`))
    })
  })
}
