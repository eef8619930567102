import { randomUUID } from 'node:crypto'
import { chownSync, mkdirSync, readFileSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { ZipFile } from 'yazl'
import { createApi, type Api } from '../api.ts'
import { removeDirectory, scratchDirectory, startHub, type HubProcess } from '../hub-process.ts'
import { openCanary } from './canary.ts'

/** What one attempt came to. */
export type Attempt = {
  readonly name: string
  readonly group: string
  readonly denied: boolean
  /** What it got, or why it did not. */
  readonly detail: string
}

export type ProbeResult = {
  readonly attempts: readonly Attempt[]
  /** Whether the probe reached the hub's public API. */
  readonly api: boolean
}

export type ProbeOptions = {
  readonly containers: 'process' | 'docker'
  /** Runs the hub as this user (only root can). */
  readonly user?: number
  /** What containers of an engine reach; `platform` unless given. */
  readonly egress?: 'none' | 'platform' | 'open'
}

/** Attempts that may end their container, with the error of the run that proves that this is what happened. */
const alone: Readonly<Record<string, RegExp>> = {
  'use more memory than its limit': /exhausted its memory/,
  'start more processes than 256': /exited unexpectedly/,
  'print more than its log limit': /^$/,
}

/**
 * Starts a hub, an action of a neighbour and the probe, and returns what its 34 attempts came to. The probe knows
 * everything that an attacker could wish to know: numbers of processes, paths, ports, names of sockets.
 */
export async function runProbe(options: ProbeOptions): Promise<ProbeResult> {
  const scratch = scratchDirectory()
  const canary = await openCanary()
  const secrets = { hubSecret: randomUUID(), hostSecret: randomUUID(), neighbourSecret: randomUUID() }
  const hostFile = join(scratch, 'host-file')
  const sharedMemory = `/dev/shm/sluice-probe-${process.pid}`
  let hub: HubProcess | undefined
  let apis: Api[] = []
  try {
    for (const file of [hostFile, sharedMemory]) writeFileSync(file, secrets.hostSecret, { mode: 0o600 })
    hub = await startProbedHub(options, join(scratch, 'hub'), secrets.hubSecret, [scratch, hostFile, sharedMemory])
    const mine = createApi(hub.url, hub.keys.alpha)
    const theirs = createApi(hub.url, hub.keys.beta)
    apis = [mine, theirs]
    const knowledge = {
      hubPid: hub.pid,
      apiKey: hub.keys.alpha.split(':')[1],
      dataDir: hub.dataDir,
      hostFile,
      sharedMemory,
      ...secrets,
      canary: { port: canary.port, dnsPort: canary.dnsPort, addresses: canary.addresses },
      neighbour: await startNeighbour(theirs, secrets.neighbourSecret),
      ask: options.containers === 'docker',
    }
    await createProbe(mine)
    const { attempts, api } = await together(mine, knowledge)
    // Limits of containers do not depend on what they reach.
    if (options.egress !== undefined && options.egress !== 'platform') return { attempts, api }
    const dangerous: Attempt[] = []
    for (const [name, ended] of Object.entries(alone)) dangerous.push(await byItself(mine, name, ended))
    return { attempts: [...attempts, ...dangerous], api }
  } finally {
    await Promise.all(apis.map(api => api.close()))
    await hub?.stop()
    canary.close()
    rmSync(sharedMemory, { force: true })
    removeDirectory(scratch)
  }
}

/** `own`: files that are to belong to the hub's user. */
async function startProbedHub(
  { containers, user, egress = 'platform' }: ProbeOptions,
  folder: string,
  secret: string,
  own: readonly string[],
): Promise<HubProcess> {
  mkdirSync(folder)
  if (user !== undefined) for (const path of [folder, ...own]) chownSync(path, user, user)
  return startHub({
    dataDir: join(folder, 'data'),
    containers,
    user,
    env: { SLUICE_PROBE_SECRET: secret },
    // The probe writes 8 MB to /tmp: enough to see the bound, and no burden where there is none.
    config: `invoker: { prewarm: [] }\ncontainers: { docker: { tmpMb: 4, egress: ${egress} } }`,
  })
}

async function createProbe(api: Api): Promise<void> {
  const code = (await zipped(join(import.meta.dirname, 'action'))).toString('base64')
  const exec = { kind: 'nodejs:20', code, binary: true }
  const limits = { memory: 256, timeout: 60_000, logs: 1 }
  const { status, text } = await api.call('PUT', 'actions/probe', { body: { exec, limits } })
  if (status !== 200) throw new Error(`The probe was not taken: ${status} ${text}`)
}

/** Another tenant's action, with something to hide; its container stays warm. */
async function startNeighbour(api: Api, secret: string): Promise<object> {
  const code = `
    const fs = require('fs'), os = require('os'), path = require('path')
    exports.main = ({ secret }) => {
      const file = path.join(os.tmpdir(), 'secret')
      if (secret) fs.writeFileSync(file, secret)
      const variables = fs.readFileSync('/proc/self/environ', 'utf8').split('\\0')
      const socket = variables.find(text => /^(SLUICE_LISTEN|__OW_LISTEN_SOCKET)=/.test(text)) || '='
      return { file, pid: process.pid, socket: socket.slice(socket.indexOf('=') + 1) }
    }`
  await api.call('PUT', 'actions/neighbour', { body: { exec: { kind: 'nodejs:20', code } } })
  const { status, body, text } = await api.call('POST', 'actions/neighbour?blocking=true&result=true', {
    body: { secret },
  })
  if (status !== 200) throw new Error(`The neighbour did not run: ${status} ${text}`)
  return { ...body, secret }
}

/** All attempts but those that may cost the container its life. */
async function together(api: Api, knowledge: object): Promise<ProbeResult> {
  const { status, body, text } = await api.call('POST', 'actions/probe?blocking=true&result=true', {
    body: { knowledge },
  })
  if (status !== 200) throw new Error(`The probe did not run: ${status} ${text}`)
  return body as ProbeResult
}

async function byItself(api: Api, name: string, ended: RegExp): Promise<Attempt> {
  const { body, text } = await api.call('POST', 'actions/probe?blocking=true', { body: { only: [name] } })
  const { success, result } = body.response
  if (!success) {
    if (!ended.test(String(result.error))) throw new Error(`"${name}" ended in an unexpected way: ${text}`)
    return { name, group: 'resources', denied: true, detail: `ended: ${result.error}` }
  }
  const attempt = result.attempts[0] as Attempt
  if (name !== 'print more than its log limit') return attempt
  const { logs } = (await api.call('GET', `activations/${body.activationId}`)).body as { logs: string[] }
  const bytes = logs.reduce((sum, line) => sum + line.length + 1, 0)
  return { ...attempt, denied: bytes < (1 << 20) + 1000, detail: `${bytes} bytes kept of 3145728` }
}

async function zipped(folder: string): Promise<Buffer> {
  const zip = new ZipFile()
  zip.addBuffer(Buffer.from('{ "main": "index.cjs" }'), 'package.json')
  for (const name of readdirSync(folder)) zip.addBuffer(readFileSync(join(folder, name)), name)
  zip.end()
  const parts: Buffer[] = []
  for await (const part of zip.outputStream) parts.push(part as Buffer)
  return Buffer.concat(parts)
}
