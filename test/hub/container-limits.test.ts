import { execFileSync } from 'node:child_process'
import { closeSync, openSync } from 'node:fs'
import { dirname } from 'node:path'
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { createApi, eventually, putEntity, type Api } from '../rig/api.ts'
import { dockerMissing } from '../rig/docker-needed.ts'
import { removeDirectory, startHub, type HubProcess } from '../rig/hub-process.ts'
import { openSink, sinkCode, type Sink } from '../rig/sink.ts'

/** What a container keeps from its action, and how little the machine notices of one that tries. */

const inDocker = process.env.SLUICE_TEST_CONTAINERS === 'docker'
const asProcess = "a process has the network and the limits of the hub's user; system:docker has what containers keep"
const python = inDocker ? await dockerMissing('sluice/action-python-v3.11:latest') : ''

type Rig = { readonly hub: HubProcess; readonly api: Api; close(): Promise<void> }

async function open(config: string): Promise<Rig> {
  const hub = await startHub({ config: `invoker: { prewarm: [] }\n${config}` })
  const api = createApi(hub.url, hub.keys.alpha)
  return {
    hub,
    api,
    async close() {
      await api.close()
      await hub.stop()
      removeDirectory(dirname(hub.dataDir))
    },
  }
}

describe('an action that pings', () => {
  beforeEach(context => {
    context.skip(!inDocker, asProcess)
    context.skip(python !== '', python)
  })

  // As `ping` does it: by a raw socket, which takes a capability, or by the kernel's own sockets for it.
  const code = `
import errno, socket, struct
def main(args):
    return {kind: {to: ping(kind, to) for to in args['addresses']} for kind in ('SOCK_RAW', 'SOCK_DGRAM')}
def ping(kind, to):
    head = struct.pack('>BBHHH', 8, 0, 0, 7, 1)
    total = sum(struct.unpack('>4H', head))
    head = struct.pack('>BBHHH', 8, 0, 0xffff - (total & 0xffff) - (total >> 16), 7, 1)
    try:
        with socket.socket(socket.AF_INET, getattr(socket, kind), socket.IPPROTO_ICMP) as door:
            door.settimeout(1)
            door.sendto(head, (to, 0))
            door.recvfrom(1000)
            return 'answered'
    except socket.timeout:
        return 'no answer'
    except OSError as error:
        return errno.errorcode[error.errno]
`
  for (const egress of ['platform', 'open'] as const) {
    it(`[runtime:SYS-07] may not, with egress \`${egress}\``, async () => {
      const rig = await open(`containers: { docker: { egress: ${egress} } }`)
      try {
        await putEntity(rig.api, 'actions/pings', { exec: { kind: 'python:3.11', code } })
        // The machine, by the address of the engine's bridge and of containers' gateways, and the cloud's metadata.
        const addresses = ['172.17.0.1', '10.213.0.1', '169.254.169.254']
        const { body, text } = await rig.api.call('POST', 'actions/pings?blocking=true&result=true', {
          body: { addresses },
        })
        expect([text, body.SOCK_RAW]).toEqual([
          expect.any(String),
          Object.fromEntries(addresses.map(to => [to, 'EPERM'])),
        ])
        expect(Object.values(body.SOCK_DGRAM)).not.toContain('answered')
      } finally {
        await rig.close()
      }
    })
  }
})

describe('an action that takes too much', () => {
  let sink: Sink
  let rig: Rig

  beforeAll(async () => {
    if (!inDocker) return
    sink = await openSink()
    rig = await open(sink.config)
    await putEntity(rig.api, 'actions/takes', { exec: { kind: 'nodejs:20', code: taker }, limits: { timeout: 60_000 } })
  })
  beforeEach(context => context.skip(!inDocker, asProcess))
  afterAll(async () => {
    await rig?.close()
    await sink?.close()
  })

  const taker = `${sinkCode}
const { spawn } = require('child_process')
const { closeSync, openSync } = require('fs')
const wanted = 2000

/** Tries it 2,000 times; what it got is held until the test has looked at the machine. */
async function take(args, tryOnce, letGo) {
  const got = [], refused = {}
  for (let n = 0; n < wanted; n++) {
    try {
      got.push(await tryOnce())
    } catch ({ code }) {
      refused[code] = (refused[code] || 0) + 1
    }
  }
  const count = got.length
  // Room for the connection to the sink.
  await letGo(got.splice(0, 30))
  await report(args, 'full')
  await held(args)
  await letGo(got)
  return { count, refused }
}
function start() {
  const child = spawn('sleep', ['60'], { stdio: 'ignore' })
  return new Promise((done, fail) => child.once('spawn', () => done(child)).once('error', fail))
}
const ended = child => new Promise(done => child.once('exit', done).kill('SIGKILL'))

async function main(args) {
  if (args.what === 'files')
    return take(args, () => openSync('/dev/null'), all => all.forEach(file => closeSync(file)))
  if (args.what === 'processes') return take(args, start, all => Promise.all(all.map(ended)))
  if (args.what === 'files, unguarded') for (let n = 0; n < wanted; n++) openSync('/dev/null')
  return { clean: true }
}`

  const invoke = (name: string, body: object) => rig.api.call('POST', `actions/${name}?blocking=true`, { body })

  it.each([
    ['files', 'EMFILE', 1024],
    ['processes', 'EAGAIN', 256],
  ] as const)('[runtime:SYS-09] gets no 2,000 %s, and the machine goes on', async (what, code, most) => {
    sink.released = false
    const reports = sink.reports.length
    const taking = invoke('takes', { what })
    await eventually(() => Promise.resolve(sink.reports.length > reports), 40_000)
    // While it holds all that it could get: this process, the hub, and the engine with another container.
    execFileSync('true')
    closeSync(openSync('/dev/null', 'r'))
    expect((await rig.api.call('GET', '/readyz', { auth: null })).status).toBe(200)
    await putEntity(rig.api, `actions/other-${what}`, {
      exec: { kind: 'nodejs:20', code: 'function main() { return { beside: true } }' },
    })
    const beside = await invoke(`other-${what}`, {})
    expect(beside.body.response.result).toEqual({ beside: true })
    sink.released = true
    const { count, refused } = (await taking).body.response.result
    expect(refused).toEqual({ [code]: 2000 - count })
    expect(count).toBeLessThan(most)
    expect(count).toBeGreaterThan(most / 2)
    expect((await invoke('takes', {})).body.response.result).toEqual({ clean: true })
  })

  it('[runtime:SYS-09] fails of it when it has not reckoned with that', async () => {
    const { body } = await invoke('takes', { what: 'files, unguarded' })
    expect(body.response).toMatchObject({ success: false, result: { error: expect.stringContaining('EMFILE') } })
    expect((await invoke('takes', {})).body.response.result).toEqual({ clean: true })
  })
})
