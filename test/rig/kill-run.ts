import { existsSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { createApi, eventually, type Api } from './api.ts'
import { removeDirectory, scratchDirectory, startHub, type HubProcess } from './hub-process.ts'
import { seededRandom } from './seeded-random.ts'

/**
 * Kills the hub at random moments under load and checks its promises from outside (reliability.md §7): the recorder's
 * file and the sink that actions report to lie outside the data directory, and only what was acknowledged counts.
 */
export type KillRunOptions = {
  kills: number
  seed: number
  firesPerSecond: number
  invokesPerSecond: number
  sabotage?: string
  settleMs?: number
}

export type KillReport = {
  seed: number
  kills: number
  firesSent: number
  firesAccepted: number
  invokesSent: number
  invokesAccepted: number
  runsExpected: number
  /** Accepted and without a terminal record. */
  losses: string[]
  /** Records that no obligation explains: a run under another id than the one derived for it. */
  unexpected: string[]
  /** Runs that the sink saw more than once. */
  duplicates: number
  /** The most runs that can be in flight at one kill: sent to a container, record not durable. */
  inFlightMax: number
  duplicatesOfWorstKill: number
  /** Runs that were repeated although no kill came between them: there must be none. */
  unexplainedRepetitions: number
  unknown: number
  restartMsMax: number
  books: { accepted: number; settled: number }
}

const rules = ['first', 'second']
const poolPlaces = 8
/** What the invoker takes from the bus before it is settled, for this pool (reliability.md §6.5.4). A run is in flight until
 *  its record is durable; its place in the pool is free before that. */
const inFlightMax = 64
/** Less than the shortest restart. */
const afterlifeMs = 100

export async function killRun(options: KillRunOptions): Promise<KillReport> {
  const random = seededRandom(options.seed)
  const directory = scratchDirectory()
  const sink = join(directory, 'sink.log')
  writeFileSync(sink, '')
  const dataDir = join(directory, 'data')
  const start = (port: number): Promise<HubProcess> =>
    startHub({
      dataDir,
      port,
      config: `invoker: { userMemoryMb: ${poolPlaces * 256} }`,
      env: options.sabotage === undefined ? {} : { SLUICE_TEST_SABOTAGE: options.sabotage },
    })
  let hub = await start(0)
  const port = Number(new URL(hub.url).port)
  const api = createApi(hub.url, hub.keys.alpha)
  const recorder = createRecorder()
  const load = createLoad(api, recorder, options)
  let restartMsMax = 0
  const killTimes: number[] = []
  try {
    await prepare(api, sink)
    load.start()
    for (let kill = 0; kill < options.kills; kill++) {
      await pause(300 + random() * 1700)
      await hub.kill()
      // What had been sent by then may still reach its container, which outlives the hub for a moment.
      killTimes.push(Date.now() + afterlifeMs)
      const since = Date.now()
      hub = await start(port)
      restartMsMax = Math.max(restartMsMax, Date.now() - since)
    }
    await pause(500)
    await load.stop()
    const report = await check(api, recorder, sink, killTimes, options.settleMs ?? 30_000)
    return { seed: options.seed, kills: options.kills, restartMsMax, ...report }
  } finally {
    await load.stop()
    await api.close()
    await hub.kill()
    removeDirectory(directory)
  }
}

/** The action reports its activation id and attempt to the sink before it answers. */
async function prepare(api: Api, sink: string): Promise<void> {
  const code = `const fs = require('fs')
function main(args) {
  fs.appendFileSync(args.sink, process.env.__OW_ACTIVATION_ID + ' ' + Date.now() + '\\n')
  return new Promise(done => setTimeout(() => done({ ok: true }), 5))
}`
  // Under sabotage a write is answered before it is there: what is put must be seen before the load begins.
  const put = (path: string, body: unknown): Promise<unknown> =>
    eventually(async () => {
      const { status } = await api.call('PUT', `${path}?overwrite=true`, { body })
      return status === 200 && (await api.call('GET', path)).status === 200
    })
  await put('actions/report', { exec: { kind: 'nodejs:20', code }, parameters: [{ key: 'sink', value: sink }] })
  await put('triggers/events', {})
  for (const rule of rules) await put(`rules/${rule}`, { trigger: '/_/events', action: '/_/report' })
}

type Recorder = {
  readonly fires: Map<string, string>
  readonly invokes: Set<string>
  counts: { firesSent: number; invokesSent: number; unknown: number }
}

function createRecorder(): Recorder {
  return { fires: new Map(), invokes: new Set(), counts: { firesSent: 0, invokesSent: 0, unknown: 0 } }
}

/** Open loop: a request goes out when it is due, whatever became of those before. */
function createLoad(api: Api, recorder: Recorder, options: KillRunOptions): { start(): void; stop(): Promise<void> } {
  const timers: NodeJS.Timeout[] = []
  const underWay = new Set<Promise<void>>()
  const send = (work: () => Promise<void>): void => {
    if (underWay.size > 2000) return
    const sent = work().catch(() => void recorder.counts.unknown++)
    underWay.add(sent)
    void sent.finally(() => underWay.delete(sent))
  }
  const fire = async (): Promise<void> => {
    const id = `e${recorder.counts.firesSent++}`
    const { status, body } = await api.call('POST', 'triggers/events', {
      body: { id },
      headers: {
        'ce-specversion': '1.0',
        'ce-id': id,
        'ce-source': '/rig',
        'ce-type': 'rig.tick',
        'sluice-input': 'data',
      },
      timeoutMs: 5000,
    })
    if (status === 202) recorder.fires.set(body.activationId as string, id)
  }
  const invoke = async (): Promise<void> => {
    recorder.counts.invokesSent++
    const { body, headers } = await api.call('POST', 'actions/report?blocking=true', { body: {}, timeoutMs: 70_000 })
    const id = headers['x-openwhisk-activation-id'] ?? body?.activationId
    if (typeof id === 'string') recorder.invokes.add(id)
  }
  return {
    start() {
      timers.push(
        setInterval(() => send(fire), 1000 / options.firesPerSecond),
        setInterval(() => send(invoke), 1000 / options.invokesPerSecond),
      )
    },
    async stop() {
      timers.splice(0).forEach(timer => clearInterval(timer))
      await Promise.all([...underWay])
    },
  }
}

async function check(
  api: Api,
  recorder: Recorder,
  sink: string,
  killTimes: readonly number[],
  settleMs: number,
): Promise<Omit<KillReport, 'seed' | 'kills' | 'restartMsMax'>> {
  const losses: string[] = []
  const expected = new Set<string>()
  const endMs = Date.now() + settleMs
  for (const [fireId, eventId] of recorder.fires) {
    const settlement = await settled(api, fireId, endMs)
    const runs = (settlement?.runs ?? []) as { rule: string; activationId: string; status: string }[]
    for (const rule of rules) {
      const run = runs.find(candidate => candidate.rule === `alpha/${rule}`)
      if (!run || run.status === 'pending') losses.push(`fire ${eventId} ${fireId} rule ${rule}`)
      else expected.add(run.activationId)
    }
    expected.add(fireId)
  }
  for (const id of recorder.invokes) {
    const { status } = await api.call('GET', `activations/${id}`)
    if (status !== 200) losses.push(`invoke ${id}`)
  }
  const seen = new Map<string, number[]>()
  for (const line of existsSync(sink) ? readFileSync(sink, 'utf8').split('\n') : []) {
    const [id, atMs] = line.split(' ')
    if (!id || atMs === undefined) continue
    const times = seen.get(id)
    if (times) times.push(Number(atMs))
    else seen.set(id, [Number(atMs)])
  }
  const repeated = [...seen.values()].filter(times => times.length > 1)
  // A repetition belongs to the kill that interrupted the run before it, however late the second run came.
  const perKill = new Map<number, number>()
  let unexplainedRepetitions = 0
  for (const times of repeated) {
    times.sort((a, b) => a - b)
    for (const [index, atMs] of times.slice(1).entries()) {
      const beforeMs = times[index] ?? 0
      const kill = killTimes.findIndex(killMs => killMs >= beforeMs)
      const killMs = killTimes[kill]
      if (killMs === undefined || killMs > atMs) unexplainedRepetitions++
      else perKill.set(kill, (perKill.get(kill) ?? 0) + 1)
    }
  }
  return {
    ...recorder.counts,
    firesAccepted: recorder.fires.size,
    invokesAccepted: recorder.invokes.size,
    runsExpected: recorder.fires.size * rules.length + recorder.invokes.size,
    losses,
    unexpected: await unexplained(api, seen),
    duplicates: repeated.reduce((sum, times) => sum + times.length - 1, 0),
    inFlightMax,
    duplicatesOfWorstKill: Math.max(0, ...perKill.values()),
    unexplainedRepetitions,
    books: await books(api, recorder),
  }
}

async function settled(api: Api, fireId: string, endMs: number): Promise<any> {
  return eventually(async () => {
    const { status, body } = await api.call('GET', `activations/${fireId}/settlement?waitMs=2000`)
    if (status === 200 && body.settled) return body
    return Date.now() > endMs ? (body ?? {}) : undefined
  }, settleMs(endMs)).catch(() => undefined)
}

function settleMs(endMs: number): number {
  return Math.max(1000, endMs - Date.now())
}

/** Ids that ran and have no record at all. */
async function unexplained(api: Api, seen: ReadonlyMap<string, number[]>): Promise<string[]> {
  const found: string[] = []
  for (const id of seen.keys()) {
    const { status } = await api.call('GET', `activations/${id}`)
    if (status !== 200) found.push(id)
  }
  return found
}

/** P10 at the quiet moment after the run: the records of the namespace against what was accepted, ambiguous ones aside. */
async function books(api: Api, recorder: Recorder): Promise<{ accepted: number; settled: number }> {
  const { body } = await api.call('GET', 'activations?count=true&limit=0')
  const settledRecords = Number(body.activations)
  return { accepted: recorder.fires.size * (1 + rules.length) + recorder.invokes.size, settled: settledRecords }
}

function pause(ms: number): Promise<void> {
  return new Promise(done => setTimeout(done, ms))
}
