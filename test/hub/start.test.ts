import { spawn } from 'node:child_process'
import { existsSync, mkdirSync, readFileSync, statSync, writeFileSync } from 'node:fs'
import { createServer, type AddressInfo } from 'node:net'
import { dirname, join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { describe, expect, it, onTestFinished } from 'vitest'
import { curlMissing, shell } from '../rig/curl.ts'
import {
  removeDirectory,
  repository,
  scratchDirectory,
  startHub,
  type HubOptions,
  type HubProcess,
} from '../rig/hub-process.ts'

/** How the hub starts, what it says when it cannot, and how it stops: as a process, with its exit codes. */

const program = join(repository, 'hub/dist/src/bin.js')

describe('a start', () => {
  it('runs the samples, and the commands it prints answer as they stand', async context => {
    const missing = await curlMissing()
    if (missing !== undefined) return context.skip(missing)
    const hub = await start({ args: [] })
    const commands = hub.output().match(/^ {2}curl .*$/gm) ?? []
    expect(commands).toHaveLength(3)
    const answers: unknown[] = []
    for (const command of commands) answers.push(JSON.parse(await shell(command)))
    expect(answers[0]).toEqual({ greeting: 'Hello you!' })
    expect(answers[1]).toEqual({ activationId: expect.stringMatching(/^[0-9a-f]{32}$/) })
    expect(answers[2]).toContainEqual(expect.objectContaining({ name: 'greet', statusCode: 0 }))
    await printed(hub, /webhook → webhook → greet-caller → greet +\d+ ms {2}success +[0-9a-f]{32}/)
    await printed(hub, /alarms → every-10-seconds → tell-the-time → hello-clock +\d+ ms {2}success +[0-9a-f]{32}/)
    expect(await hub.stop()).toBe(0)
  })

  it('keeps keys and samples over a restart, and keeps deleted samples away', async () => {
    const dataDir = join(scratch(), 'data')
    const first = await start({ dataDir, args: [] })
    const path = `${first.url}/api/v1/namespaces/_/actions/greet`
    expect((await fetch(path, { method: 'DELETE', headers: authOf(first) })).status).toBe(200)
    await first.stop()
    const second = await start({ dataDir, args: [] })
    expect(second.keys.guest).toBe(first.keys.guest)
    const gone = `${second.url}/api/v1/namespaces/_/actions/greet`
    expect((await fetch(gone, { headers: authOf(second) })).status).toBe(404)
    const kept = `${second.url}/api/v1/namespaces/_/actions/hello-clock`
    expect((await fetch(kept, { headers: authOf(second) })).status).toBe(200)
  })

  it('keeps its data directory and the keys in it from everybody else', async () => {
    const dataDir = join(scratch(), 'data')
    await start({ dataDir })
    expect(statSync(dataDir).mode & 0o777).toBe(0o700)
    for (const file of ['keys.json', 'master-key']) expect(statSync(join(dataDir, file)).mode & 0o777).toBe(0o600)
  })

  it("writes API host and key for OpenWhisk's clients when told", async () => {
    const dataDir = join(scratch(), 'data')
    const hub = await start({ dataDir, args: ['--no-samples', '--write-wskprops'] })
    const file = join(dirname(dataDir), '.wskprops')
    await printed(hub, /now leads OpenWhisk's clients to this hub/)
    expect(readFileSync(file, 'utf8')).toBe(`APIHOST=${hub.url}\nAUTH=${hub.keys.guest}\n`)
  })
})

describe('a start that cannot be', () => {
  it('says that the port is taken, and ends with 2', async () => {
    const other = createServer()
    await new Promise<void>(resolve => other.listen(0, '127.0.0.1', resolve))
    onTestFinished(() => void other.close())
    const { port } = other.address() as AddressInfo
    const { code, err } = await run(['--port', String(port), '--data-dir', join(scratch(), 'data')])
    expect(err).toBe(`127.0.0.1:${port} is taken by another process. Stop it, or choose another port with --port.\n`)
    expect(code).toBe(2)
  })

  it('says that the data directory is in use, and ends with 2', async () => {
    const hub = await start({})
    const { code, err } = await run(['--port', '0', '--data-dir', hub.dataDir])
    expect(err).toMatch(/^The data directory \S+ is in use by another process\.[^\n]*\n$/)
    expect(code).toBe(2)
  })

  it('says that the data directory cannot be written, and ends with 2', async () => {
    const file = join(scratch(), 'file')
    writeFileSync(file, '')
    const { code, err } = await run(['--port', '0', '--data-dir', file])
    expect(err).toMatch(/^The data directory \S+ cannot be written \(ENOTDIR\)\.[^\n]*\n$/)
    expect(code).toBe(2)
  })

  it('names the option it does not know, and ends with 2', async () => {
    const { code, err } = await run(['--prot', '1'])
    expect(err).toMatch(/^unknown option '--prot' \(Did you mean --port\?\)[^\n]*\n$/)
    expect(code).toBe(2)
  })

  it('lists all mistakes of the configuration with their places, and ends with 2', async () => {
    const folder = scratch()
    const file = join(folder, 'sluice.yaml')
    writeFileSync(file, 'http:\n  prot: 1\n')
    const { code, err } = await run(['--config', file, '--containers', 'podman'], { SLUICE_HTTP__PORT: 'x' })
    expect(err.trim().split('\n')).toEqual([
      'The configuration has 3 mistakes:',
      `  ${file}:2:3: unknown setting http.prot; did you mean http.port?`,
      '  SLUICE_HTTP__PORT: http.port must be a whole number from 0 to 65535, not "x"',
      '  --containers: containers.mode must be one of auto, process, docker, not "podman"',
    ])
    expect(code).toBe(2)
  })

  it('leaves nothing behind in a folder that another hub may take', async () => {
    const dataDir = join(scratch(), 'data')
    mkdirSync(dataDir)
    await run(['--port', '0', '--host', '192.0.2.1', '--data-dir', dataDir])
    const hub = await start({ dataDir })
    expect(existsSync(join(hub.dataDir, 'db'))).toBe(true)
  })
})

describe('a stop', () => {
  it('lets running work finish at the first Ctrl-C, and ends with 0', async () => {
    const hub = await start({})
    const { answer } = await sleeper(hub, 1000)
    process.kill(hub.pid, 'SIGINT')
    expect(await (await answer).json()).toEqual({ slept: true })
    expect(await hub.exited).toBe(0)
  })

  it('ends at once at a second Ctrl-C', async () => {
    const hub = await start({})
    await sleeper(hub, 30_000)
    process.kill(hub.pid, 'SIGINT')
    await printed(hub, /Stopping/)
    // Less would count as the same key press, which npm hands on a second time.
    await sleep(500)
    const askedAt = Date.now()
    process.kill(hub.pid, 'SIGINT')
    expect(await hub.exited).toBe(130)
    expect(Date.now() - askedAt).toBeLessThan(1000)
  })

  it('ends with 1 within a second of an error that nobody caught, and logs it once', async () => {
    const bomb = 'process.on("SIGUSR2", () => { throw new Error("out of the blue") })'
    const hub = await start({ env: { NODE_OPTIONS: `--import=data:text/javascript,${encodeURIComponent(bomb)}` } })
    const askedAt = Date.now()
    process.kill(hub.pid, 'SIGUSR2')
    expect(await hub.exited).toBe(1)
    expect(Date.now() - askedAt).toBeLessThan(1000)
    expect(hub.output().match(/the hub cannot go on/g)).toHaveLength(1)
    expect(hub.output()).toContain('out of the blue')
  })
})

async function start(options: HubOptions): Promise<HubProcess> {
  const hub = await startHub({ dataDir: join(scratch(), 'data'), ...options })
  onTestFinished(() => hub.kill())
  return hub
}

/** Runs the program to its end. */
function run(args: readonly string[], env: Record<string, string> = {}): Promise<{ code: number | null; err: string }> {
  const folder = scratch()
  const child = spawn(process.execPath, [program, '--no-samples', ...args], {
    cwd: folder,
    env: { PATH: process.env.PATH ?? '', HOME: folder, SLUICE_LOG__LEVEL: 'error', ...env },
    stdio: ['ignore', 'ignore', 'pipe'],
  })
  onTestFinished(() => void child.kill('SIGKILL'))
  let err = ''
  child.stderr.on('data', (chunk: Buffer) => (err += chunk.toString()))
  return new Promise(resolve => child.on('close', code => resolve({ code, err })))
}

/** An action that has begun to sleep; the promise is its answer. */
async function sleeper(hub: HubProcess, ms: number): Promise<{ answer: Promise<Response> }> {
  const headers = { ...authOf(hub), 'content-type': 'application/json' }
  const path = `${hub.url}/api/v1/namespaces/_/actions/sleeper`
  const code = `function main() { return new Promise(done => setTimeout(() => done({ slept: true }), ${ms})) }`
  const body = JSON.stringify({ exec: { kind: 'nodejs:default', code }, limits: { timeout: 60_000 } })
  expect((await fetch(path, { method: 'PUT', headers, body })).status).toBe(200)
  const answer = fetch(`${path}?blocking=true&result=true`, { method: 'POST', headers, body: '{}' })
  answer.catch(() => {})
  await busy(hub)
  return { answer }
}

/** Resolves when an action is running, as the hub's own figures tell it. */
async function busy(hub: HubProcess): Promise<void> {
  for (let attempt = 0; attempt < 100; attempt++) {
    const text = await (await fetch(`${hub.url}/metrics`)).text()
    if (/^sluice_pool_busy [1-9]/m.test(text)) return
    await sleep(20)
  }
  throw new Error('no container became busy')
}

function authOf(hub: HubProcess): { authorization: string } {
  return { authorization: `Basic ${Buffer.from(hub.keys.guest).toString('base64')}` }
}

/** Waits for a line of the hub; the test's own time-out is the bound. */
async function printed(hub: HubProcess, line: RegExp): Promise<void> {
  while (!line.test(hub.output())) await sleep(20)
}

function scratch(): string {
  const folder = scratchDirectory()
  onTestFinished(() => removeDirectory(folder))
  return folder
}
