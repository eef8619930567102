import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { createApi, eventually, type Api } from '../rig/api.ts'
import { removeDirectory, scratchDirectory, startHub, type HubProcess } from '../rig/hub-process.ts'
import { openSink, sinkCode, type Sink } from '../rig/sink.ts'

/** Runs that wait for one of two places: what a crash does to them, and what other namespaces notice of them. */

const lost = 'The outcome of the run was lost because the invoker stopped while it was in progress.'

let directory: string
let hub: HubProcess
let api: Api
let other: Api
let sink: Sink

beforeEach(async () => {
  directory = scratchDirectory()
  sink = await openSink()
  await start()
})
afterEach(async () => {
  await Promise.all([api?.close(), other?.close()])
  await hub?.kill()
  await sink.close()
  removeDirectory(directory)
})

async function start(): Promise<void> {
  const config = `invoker: { userMemoryMb: 256, prewarm: [] }\n${sink.config}`
  hub = await startHub({ dataDir: join(directory, 'data'), config })
  api = createApi(hub.url, hub.keys.alpha)
  other = createApi(hub.url, hub.keys.beta)
}

async function crash(): Promise<void> {
  await hub.kill()
  await Promise.all([api.close(), other.close()])
  await start()
}

async function put(path: string, body: unknown, on = api): Promise<void> {
  const { status, text } = await on.call('PUT', path, { body })
  if (status !== 200) throw new Error(`${path} was not taken: ${status} ${text}`)
}

function action(code: string, parameters: Record<string, unknown> = {}): object {
  return {
    exec: { kind: 'nodejs:20', code },
    limits: { memory: 128 },
    parameters: Object.entries(parameters).map(([key, value]) => ({ key, value })),
  }
}

/** An action that tells of its begin and ends only once it may. */
async function putHolding(): Promise<void> {
  const code = `${sinkCode}
async function main(args) {
  await report(args)
  await held(args)
  return {}
}`
  await put('actions/holding', action(code, { sink: sink.address }))
}

function begun(): string[] {
  return sink.reports.map(({ activationId }) => activationId)
}

async function invokeHolding(times: number): Promise<string[]> {
  const ids: string[] = []
  for (let n = 0; n < times; n++) ids.push((await api.call('POST', 'actions/holding')).body.activationId as string)
  return ids
}

async function recordOf(id: string): Promise<any> {
  return eventually(async () => {
    const { status, body } = await api.call('GET', `activations/${id}`)
    return status === 200 && body
  })
}

describe('runs that wait', () => {
  it('[promise:P6] run after a crash; only those that had been sent are recorded as lost', async () => {
    await putHolding()
    const ids = await invokeHolding(6)
    await eventually(async () => begun().length === 2)
    const sent = begun()
    await crash()
    sink.released = true
    const records = await Promise.all(ids.map(recordOf))
    for (const { activationId, response } of records) {
      if (sent.includes(activationId)) expect(response.result).toEqual({ error: lost })
      else expect(response.status).toBe('success')
    }
    expect(begun()).toHaveLength(6)
  }, 30_000)

  it('[promise:P6] use up none of their attempts however often the hub dies while they wait', async () => {
    await putHolding()
    await put('triggers/events', {})
    await put('rules/held', { trigger: '/_/events', action: '/_/holding' })
    await invokeHolding(14)
    const { body } = await api.call('POST', 'triggers/events', { body: {} })
    for (let kill = 0; kill < 5; kill++) {
      await eventually(async () => begun().length === 2)
      sink.reports.length = 0
      await crash()
    }
    sink.released = true
    const settlement = await eventually(async () => {
      const answer = await api.call('GET', `activations/${body.activationId}/settlement?waitMs=5000`)
      return answer.status === 200 && answer.body.settled && answer.body
    })
    expect(settlement.runs).toMatchObject([{ rule: 'alpha/held', status: 'success' }])
    expect(settlement.deadLetters).toEqual([])
  }, 60_000)

  it('[promise:P9] of one namespace do not hold up another', async () => {
    const slow = 'const main = () => new Promise(done => setTimeout(() => done({}), 500))'
    await put('actions/slow', action(slow))
    await put('triggers/many', {})
    await put('rules/runs-slow', { trigger: '/_/many', action: '/_/slow' })
    await put('actions/quick', action('const main = () => ({})'), other)
    await put('triggers/one', {}, other)
    await put('rules/runs-quick', { trigger: '/_/one', action: '/_/quick' }, other)
    // A minute of work for two places.
    await Promise.all(Array.from({ length: 200 }, () => api.call('POST', 'triggers/many', { body: {} })))
    const since = performance.now()
    const { body } = await other.call('POST', 'triggers/one', { body: {} })
    await eventually(async () => {
      const answer = await other.call('GET', `activations/${body.activationId}/settlement?waitMs=5000`)
      return answer.status === 200 && answer.body.settled
    })
    expect(performance.now() - since).toBeLessThan(5000)
  }, 30_000)
})
