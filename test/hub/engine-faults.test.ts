import { dirname } from 'node:path'
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { createApi, eventually, type Api } from '../rig/api.ts'
import { readBooks } from '../rig/books.ts'
import { dockerMissing } from '../rig/docker-needed.ts'
import { removeDirectory, startHub, type HubProcess } from '../rig/hub-process.ts'
import { openOwnEngine, ownEngineMissing, type OwnEngine } from '../rig/own-engine.ts'

/** What befalls the engine and its containers with 20 runs going: each run is settled, and work goes on by itself. */

const image = 'sluice/action-nodejs-v20:latest'
const missing = (await dockerMissing(image)) || ownEngineMissing()
/** How long the engine is away: SLUICE_TEST_ENGINE_AWAY_MS=60000 is the full form. */
const awayMs = Number(process.env.SLUICE_TEST_ENGINE_AWAY_MS ?? 5000)
/** reliability.md R8. */
const startsAgainMs = 15_000
const orphansGoneMs = 60_000
/** In its run, or in the `/init` before it: both are errors of the action, settled once, never run again by themselves. */
const broken = expect.stringMatching(/^The action did not .* exited unexpectedly\.$/) as string

let engine: OwnEngine
let hub: HubProcess
let api: Api
let count = 0

beforeAll(async () => {
  if (missing !== '') return
  engine = await openOwnEngine([image])
  const config = `invoker: { prewarm: [], userMemoryMb: 8192 }\ncontainers: { docker: { engine: '${engine.address}' } }`
  hub = await startHub({ containers: 'docker', config })
  api = createApi(hub.url, hub.keys.alpha)
  await put('waiter', waiter)
  await api.call('PUT', 'triggers/tick', { body: {} })
  await api.call('PUT', 'rules/ticks', { body: { trigger: '/_/tick', action: '/_/waiter' } })
}, 90_000)
afterAll(async () => {
  await api?.close()
  await hub?.stop()
  if (hub) removeDirectory(dirname(hub.dataDir))
  const left = engine && (await containers())
  await engine?.close()
  expect(left ?? []).toEqual([])
}, 60_000)

async function put(name: string, code: string): Promise<void> {
  const exec = { kind: 'nodejs:20', code: `async function main(args) { ${code} }` }
  const limits = { memory: 128, timeout: 120_000 }
  const { status, text } = await api.call('PUT', `actions/${name}`, { body: { exec, limits } })
  if (status !== 200) throw new Error(`${name} was not taken: ${status} ${text}`)
}

/** Runs until a trigger of this name is there, as it sees by the hub's API: the test says how long. */
const waiter = `
  const url = process.env.__OW_API_HOST + '/api/v1/namespaces/_/triggers/' + args.gate
  const headers = { authorization: 'Basic ' + Buffer.from(args.key).toString('base64') }
  for (;;) {
    const { status } = await fetch(url, { headers }).catch(() => ({}))
    if (status === 200) return { done: args.n }
    await new Promise(done => setTimeout(done, 300))
  }`

type Runs = { readonly gate: string; readonly direct: string[]; readonly fires: string[]; release(): Promise<void> }

/** Ids of the hub's containers on the engine, running or not. */
async function containers(): Promise<string[]> {
  const filters = encodeURIComponent(JSON.stringify({ label: ['sluice.invoker'] }))
  const { body } = await engine.call('GET', `/containers/json?all=true&filters=${filters}`)
  return (body as { Id: string }[]).map(({ Id }) => Id)
}

async function metric(name: string): Promise<number> {
  const { text } = await api.call('GET', '/metrics', { auth: null })
  return Number(new RegExp(`^${name} (\\S+)$`, 'm').exec(text)?.[1])
}

/** 20 runs that last until they are released, half of them direct, half by a rule; resolves when all have begun. */
async function begin20(): Promise<Runs> {
  const numbers = Array.from({ length: 10 }, () => ++count)
  const gate = `gate-${++count}`
  const send = async (path: string, n: number): Promise<string> => {
    const { status, body, text } = await api.call('POST', path, { body: { gate, key: hub.keys.alpha, n } })
    if (status !== 202) throw new Error(`${path}: ${status} ${text}`)
    return body.activationId as string
  }
  const direct = await Promise.all(numbers.map(n => send('actions/waiter', n)))
  const fires = await Promise.all(numbers.map(n => send('triggers/tick', n)))
  await eventually(async () => (await metric('sluice_pool_busy')) >= 20, 60_000)
  return {
    gate,
    direct,
    fires,
    release: async () => void (await api.call('PUT', `triggers/${gate}`, { body: {} })),
  }
}

/** The records of all of them, exactly one for each: missing none. */
async function settled({ direct, fires }: Pick<Runs, 'direct' | 'fires'>): Promise<any[]> {
  const ofFires = fires.map(id =>
    eventually(async () => {
      const { status, body } = await api.call('GET', `activations/${id}/settlement?waitMs=2000`)
      return status === 200 && body.settled && body
    }, 60_000),
  )
  const settlements = await Promise.all(ofFires)
  const runs = settlements.flatMap(settlement => settlement.runs)
  const byRule = runs.map((run: { activationId: string }) => run.activationId)
  expect(byRule).toHaveLength(fires.length)
  return Promise.all([...direct, ...byRule].map(record))
}

async function record(id: string): Promise<any> {
  return eventually(async () => {
    const { status, body } = await api.call('GET', `activations/${id}`)
    return status === 200 && body
  }, 60_000)
}

/** Milliseconds until an action that is new, and so needs a container, has run. */
async function untilNewStart(): Promise<number> {
  const since = performance.now()
  const name = `fresh-${++count}`
  await put(name, 'return { fresh: true }')
  await eventually(async () => {
    const { body } = await api.call('POST', `actions/${name}?blocking=true&result=true`, { body: {} })
    return body?.fresh === true
  }, startsAgainMs)
  return Math.round(performance.now() - since)
}

/** The engine has the containers of the pool and no others. */
async function untilNoOrphans(): Promise<number> {
  const since = performance.now()
  await eventually(async () => (await containers()).length === (await metric('sluice_pool_containers')), orphansGoneMs)
  return Math.round(performance.now() - since)
}

const succeeded = (records: any[]): any[] => records.filter(({ response }) => response.success)
const failed = (records: any[]): any[] => records.filter(({ response }) => !response.success)
const report = (what: string, figures: object): void => console.log(`R8, ${what}: ${JSON.stringify(figures)}`)

describe('with 20 runs going', () => {
  beforeEach(context => context.skip(missing !== '', missing))

  it('[rel:R8] containers that are removed or killed by hand cost their own runs and no others', async () => {
    const runs = await begin20()
    const victims = (await containers()).slice(0, 6)
    await Promise.all(
      victims.map((id, index) =>
        index % 2 === 0
          ? engine.call('DELETE', `/containers/${id}?force=true`)
          : engine.call('POST', `/containers/${id}/kill`),
      ),
    )
    await runs.release()
    const records = await settled(runs)
    expect(failed(records).map(({ response }) => response.result.error)).toEqual(victims.map(() => broken))
    expect(succeeded(records)).toHaveLength(20 - victims.length)
    report('by hand', {
      broken: failed(records).length,
      startMs: await untilNewStart(),
      orphansMs: await untilNoOrphans(),
    })
  }, 90_000)

  it('[rel:R8] a pull that hangs and an image that is missing hold nobody else up', async () => {
    const registry = await engine.hangingRegistry()
    const exec = { kind: 'blackbox', image: `${registry.host}/user/hangs:latest`, code: '' }
    expect((await api.call('PUT', 'actions/pulled', { body: { exec } })).status).toBe(200)
    const runs = await begin20()
    const pulled = (await api.call('POST', 'actions/pulled', { body: {} })).body.activationId as string
    await registry.connected
    const whilePulling = await untilNewStart()

    await engine.call('POST', `/images/${image}/tag?repo=kept&tag=1`)
    expect((await engine.call('DELETE', `/images/${image}?force=true`)).status).toBe(200)
    await put('imageless', 'return {}')
    const { body } = await api.call('POST', 'actions/imageless?blocking=true', { body: {} })
    expect(body.response).toMatchObject({ success: false, status: 'whisk internal error' })
    const [repository, tag] = image.split(':')
    await engine.call('POST', `/images/kept:1/tag?repo=${repository}&tag=${tag}`)
    const afterImage = await untilNewStart()

    await runs.release()
    expect(succeeded(await settled(runs))).toHaveLength(20)
    expect((await api.call('GET', `activations/${pulled}`)).status).toBe(404)
    registry.close()
    const { response } = await record(pulled)
    expect(response).toMatchObject({ success: false, status: 'action developer error' })
    expect(response.result.error).toContain('Failed to pull container image')
    report('pull and image', { whilePulling, afterImage, orphansMs: await untilNoOrphans() })
  }, 90_000)

  it('[rel:R8] an engine that is restarted under its containers costs nothing', async () => {
    const runs = await begin20()
    await engine.stop()
    await engine.start()
    const startMs = await untilNewStart()
    await runs.release()
    const records = await settled(runs)
    expect(failed(records)).toEqual([])
    report('restart, containers survive', { startMs, orphansMs: await untilNoOrphans() })
  }, 90_000)

  it(
    '[rel:R8] an engine that goes with its containers costs their runs, and work begins again when it is back',
    async () => {
      const runs = await begin20()
      await engine.crash()
      const backAt = performance.now() + awayMs
      const unready = await eventually(async () => {
        const answer = await api.call('GET', '/readyz', { auth: null })
        return answer.status === 503 && answer
      })
      expect(JSON.stringify(unready.body)).toContain('container engine')
      await runs.release()
      const meanwhile = await api.call('POST', 'triggers/tick', {
        body: { gate: runs.gate, key: hub.keys.alpha, n: 0 },
      })
      expect(meanwhile.status).toBe(202)
      await new Promise(done => setTimeout(done, Math.max(backAt - performance.now(), 0)))
      await engine.start()
      const startMs = await untilNewStart()
      await eventually(async () => (await api.call('GET', '/readyz', { auth: null })).status === 200, startsAgainMs)
      const records = await settled(runs)
      expect(records.map(({ response }) => response.result.error)).toEqual(records.map(() => broken))
      await settled({ direct: [], fires: [meanwhile.body.activationId as string] })
      report('stopped', { awayMs, startMs, orphansMs: await untilNoOrphans() })
    },
    120_000 + awayMs,
  )

  it('[rel:R8] [rel:R21] the hub was never restarted, and its books balance', async () => {
    expect(await Promise.race([hub.exited, Promise.resolve('running')])).toBe('running')
    const books = await readBooks(api)
    expect(books.inFlight).toBe(0)
    expect(books.runsAccepted).toBe(books.runsSettled + books.runsRefused)
  })
})
