import { execFile } from 'node:child_process'
import { existsSync } from 'node:fs'
import { mkdtemp, readdir, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { describe, expect, it, onTestFinished } from 'vitest'
import { containerFactoryContract } from '../../../contract/container-factory.ts'
import { systemClock, systemRandom, type Container, type ContainerSpec, type Logger } from '../../spi/index.ts'
import { createProcessContainerFactory, type ProcessContainerFactoryOptions } from './index.ts'
import { createPsProcessTable } from './ps-process-table.ts'

const fixture = fileURLToPath(new URL('./fixtures/test-runtime.mjs', import.meta.url))
const quiet = () => undefined
const log: Logger = { error: console.error, warn: quiet, info: quiet, debug: quiet, child: () => log }

/** Another run of these tests on this machine must neither be seen nor be cleaned up. */
let count = 0
const unique = (what: string) => `${what}-${process.pid}-${++count}`

const heapSwitch = { large: 512, small: 24 }
function open(options: Partial<ProcessContainerFactoryOptions> = {}) {
  const runtime = (heapMb: number) => ({
    command: process.execPath,
    args: () => [`--max-old-space-size=${heapMb}`, fixture],
  })
  return createProcessContainerFactory({
    runtimes: {
      'test:1': runtime(heapSwitch.large),
      'test:small-heap': runtime(heapSwitch.small),
      'test:missing': { command: '/no/such/program', args: () => [] },
    },
    invoker: 0,
    installation: unique('test'),
    clock: systemClock,
    random: systemRandom,
    log,
    memorySampleMs: 50,
    ...options,
  })
}

const environment = ['PATH', 'LANG', 'HOME', 'TMPDIR', 'SLUICE_LISTEN', 'SLUICE_PARENT', 'SLUICE_CONTAINER']
const alive = (_container: Container, pids: readonly number[]) => livingPids(pids)

containerFactoryContract('process', {
  open: async installation => open({ installation }),
  kind: 'test:1',
  image: 'test',
  environment,
  alive,
})

describe('process containers', () => {
  const spec: ContainerSpec = {
    name: 'wsk0_1_guest_test',
    kind: 'test:1',
    image: 'test',
    labels: {},
    env: {},
    memoryMb: 256,
    cpuShares: 128,
    egress: 'open',
  }
  async function start(overrides: Partial<ContainerSpec> = {}, options: Partial<ProcessContainerFactoryOptions> = {}) {
    const factory = open(options)
    onTestFinished(() => factory.close())
    return { factory, container: await factory.create({ ...spec, ...overrides }, AbortSignal.timeout(20_000)) }
  }

  it('tells an exhausted V8 heap as exhausted memory', async () => {
    const { container } = await start({ kind: 'test:small-heap', memoryMb: 1024 })
    void post(container, '/heap')
    expect(await container.exited).toMatchObject({ oom: true })
  })

  it('rejects a program that does not exist with SLUICE_CONTAINER_START', async () => {
    await expect(start({ kind: 'test:missing' })).rejects.toMatchObject({ code: 'SLUICE_CONTAINER_START' })
  })

  it('has a private working directory, which goes with the container', async () => {
    const { container } = await start()
    const { directory } = (await post(container, '/pid')) as { directory: string }
    expect(existsSync(directory)).toBe(true)
    await container.destroy()
    expect(existsSync(directory)).toBe(false)
    expect(existsSync(join(directory, '..'))).toBe(false)
  })

  it('leaves no directory behind when it is closed, and cleans up those of a crash', async () => {
    const directory = await mkdtemp(join(tmpdir(), 'sluice-test-'))
    onTestFinished(() => rm(directory, { recursive: true }))
    const life = { directory, installation: unique('crash') }
    const crashed = await start({}, life)
    await post(crashed.container, '/pid')
    const { factory } = await start({}, life)
    expect(await readdir(directory)).toHaveLength(2)
    expect(await factory.cleanup()).toBe(1)
    expect(await readdir(directory)).toHaveLength(1)
    await factory.close()
    expect(await readdir(directory)).toEqual([])
  })

  it('finds another place when the given directory is too long for a socket', async () => {
    const parent = await mkdtemp(join(tmpdir(), 'sluice-test-'))
    onTestFinished(() => rm(parent, { recursive: true }))
    const { container } = await start({}, { directory: join(parent, 'd'.repeat(120)) })
    expect(await post(container, '/pid')).toMatchObject({ pid: expect.any(Number) })
    // A path that is too long is cut off without a word, here and in the container alike: an answer proves nothing.
    const { socketPath } = container.endpoint as { socketPath: string }
    expect(Buffer.byteLength(socketPath)).toBeLessThanOrEqual(103)
    expect(existsSync(socketPath)).toBe(true)
  })

  it('ends a container that starts processes without end', async () => {
    const { container } = await start()
    const seconds = uniqueSeconds()
    await post(container, '/bomb', { seconds })
    expect(await container.exited).toMatchObject({ oom: false })
    await container.destroy()
    expect(await sleepersOf(seconds)).toEqual([])
  })

  it('misses none that are started while it looks, even without the marker', async () => {
    const ps = createPsProcessTable()
    const slow = {
      ...ps,
      async list() {
        const found = await ps.list()
        await systemClock.sleep(50)
        return found
      },
    }
    const { container } = await start({}, { processTable: slow })
    const seconds = uniqueSeconds()
    await post(container, '/bomb', { seconds, bare: true })
    await container.destroy()
    expect(await sleepersOf(seconds)).toEqual([])
  })

  it('ends the rest of its group with the first process, also what the memory watch never saw', async () => {
    const { container } = await start({}, { memorySampleMs: 3_600_000 })
    const { pid } = (await post(container, '/spawn', { bare: true })) as { pid: number }
    void post(container, '/exit', { code: 0 })
    await container.exited
    await expect.poll(() => livingPids([pid]), { timeout: 5000 }).toEqual([])
  })

  it('kills all containers at once when the hub has no time left', async () => {
    const { container, factory } = await start()
    factory.killNow()
    expect(await container.exited).toEqual({ code: null, signal: 'SIGKILL', oom: false })
  })

  it('works where there is only ps to look at processes', async () => {
    const { container } = await start({ memoryMb: 128 }, { processTable: createPsProcessTable() })
    const stray = (await post(container, '/spawn', { escape: true, orphan: true })) as { pid: number }
    void post(container, '/allocate', { mb: 400 })
    expect(await container.exited).toMatchObject({ oom: true })
    await container.destroy()
    expect(await livingPids([stray.pid])).toEqual([])
  })
})

/** Those of `pids` that live; a zombie does not. */
async function livingPids(pids: readonly number[]): Promise<number[]> {
  const rows = await ps(['-o', 'pid=,stat=', '-p', pids.join(',')])
  return rows.filter(row => !row.includes('Z')).map(row => Number.parseInt(row, 10))
}

/** About a minute, by which the processes of this test are told from all others. */
const uniqueSeconds = () => `61.${process.pid}${++count}`

/** Processes that `/bomb` started and that live. */
async function sleepersOf(seconds: string): Promise<string[]> {
  const rows = await ps(['axww', '-o', 'stat=,command='])
  return rows.filter(row => row.endsWith(`/bin/sleep ${seconds}`) && !row.startsWith('Z'))
}

function ps(args: string[]): Promise<string[]> {
  return new Promise(resolve => {
    execFile('ps', args, { maxBuffer: 1 << 26 }, (_error, stdout) => resolve(stdout.split('\n').filter(Boolean)))
  })
}

/** Asks the test runtime once it listens; resolves to undefined when the container goes meanwhile. */
async function post(container: Container, path: string, body: object = {}): Promise<unknown> {
  const { request, Agent } = await import('node:http')
  const { socketPath } = container.endpoint as { socketPath: string }
  for (;;) {
    const answer = await new Promise<unknown>(resolve => {
      const sent = request({ socketPath, path, method: 'POST', agent: new Agent() }, response => {
        let text = ''
        response.on('data', chunk => (text += chunk))
        response.on('end', () => resolve(JSON.parse(text)))
      })
      sent.on('error', error => resolve(error))
      sent.end(JSON.stringify(body))
    })
    if (!(answer instanceof Error)) return answer
    const { code } = answer as { code?: string }
    if (code !== 'ENOENT' && code !== 'ECONNREFUSED') return undefined
    await systemClock.sleep(5)
  }
}
