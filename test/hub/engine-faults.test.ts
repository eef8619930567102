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
/** An attempt that has to start a container waits this long for the engine. */
const patienceMs = 20_000
/** What a direct invoke has whose container was taken away during its run: recorded, never run again by itself. */
const lost = {
  success: false,
  status: 'whisk internal error',
  result: { error: 'The action did not produce a valid response and exited unexpectedly.' },
}

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

/** Says that it runs, by a trigger of its own, and goes on until the trigger named by the test is there: by the hub's API. */
const waiter = `
  const { __OW_API_HOST, __OW_ACTIVATION_ID, __OW_SLUICE_ATTEMPT } = process.env
  const trigger = name => __OW_API_HOST + '/api/v1/namespaces/_/triggers/' + name
  const headers = { authorization: 'Basic ' + Buffer.from(args.key).toString('base64') }
  const json = { ...headers, 'content-type': 'application/json' }
  const begun = trigger(args.gate + '-' + __OW_ACTIVATION_ID) + '?overwrite=true'
  await fetch(begun, { method: 'PUT', headers: json, body: '{}' }).catch(() => undefined)
  for (;;) {
    const { status } = await fetch(trigger(args.gate), { headers }).catch(() => ({}))
    if (status === 200) return { done: args.n, attempt: __OW_SLUICE_ATTEMPT }
    await new Promise(done => setTimeout(done, 300))
  }`

type Runs = { readonly gate: string; readonly direct: string[]; readonly fires: string[]; release(): Promise<void> }
type Records = { readonly direct: any[]; readonly byRule: any[] }

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
  await eventually(async () => {
    const { body } = await api.call('GET', 'triggers?limit=200')
    return (body as { name: string }[]).filter(({ name }) => name.startsWith(`${gate}-`)).length >= 20
  }, 60_000)
  return {
    gate,
    direct,
    fires,
    release: async () => void (await api.call('PUT', `triggers/${gate}`, { body: {} })),
  }
}

/** The records of all of them, exactly one for each: missing none. */
async function settled({ direct, fires }: Pick<Runs, 'direct' | 'fires'>): Promise<Records> {
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
  return { direct: await Promise.all(direct.map(record)), byRule: await Promise.all(byRule.map(record)) }
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

const failed = (records: any[]): any[] => records.filter(({ response }) => !response.success)
const repeated = (records: any[]): any[] => records.filter(({ response }) => Number(response.result.attempt) > 1)
const expectSuccess = ({ direct, byRule }: Records): void => expect(failed([...direct, ...byRule])).toEqual([])
/** All of them lost their container after `/run` was sent. */
function expectLost({ direct, byRule }: Records): void {
  for (const { response } of direct) expect(response).toMatchObject(lost)
  expect(failed(byRule)).toEqual([])
  expect(repeated(byRule)).toHaveLength(byRule.length)
}
const report = (what: string, figures: object): void => console.log(`R8, ${what}: ${JSON.stringify(figures)}`)

describe('with 20 runs going', () => {
  beforeEach(context => context.skip(missing !== '', missing))

  it('[rel:R8] [promise:P6] containers removed or killed by hand: rules run again, direct invokes are told', async () => {
    const runs = await begin20()
    // More than there are of either sort, so that some of both are hit.
    const victims = (await containers()).filter((_, index) => index % 5 < 3)
    expect(victims).toHaveLength(12)
    await Promise.all(
      victims.map((id, index) =>
        index % 2 === 0
          ? engine.call('DELETE', `/containers/${id}?force=true`)
          : engine.call('POST', `/containers/${id}/kill`),
      ),
    )
    await runs.release()
    const { direct, byRule } = await settled(runs)
    for (const { response } of failed(direct)) expect(response).toMatchObject(lost)
    expect(failed(byRule)).toEqual([])
    expect(failed(direct).length + repeated(byRule).length).toBe(victims.length)
    report('by hand', {
      told: failed(direct).length,
      repeated: repeated(byRule).length,
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
    expectSuccess(await settled(runs))
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
    expectSuccess(await settled(runs))
    report('restart, containers survive', { startMs, orphansMs: await untilNoOrphans() })
  }, 90_000)

  it('[rel:R8] [promise:P6] an engine that is restarted and ends its containers: rules run again, direct invokes are told', async () => {
    const runs = await begin20()
    await engine.stop({ withContainers: true })
    await engine.start()
    const startMs = await untilNewStart()
    await runs.release()
    expectLost(await settled(runs))
    report('restart, containers end', { startMs, orphansMs: await untilNoOrphans() })
  }, 90_000)

  it(
    '[rel:R8] [promise:P6] an engine that goes with its containers: rules run again when it is back, direct invokes are told',
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
      // Longer than its attempts wait for an engine, a run ends as a dead letter instead.
      if (awayMs <= patienceMs) expectLost(records)
      else for (const { response } of records.direct) expect(response).toMatchObject(lost)
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
