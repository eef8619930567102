import { join } from 'node:path'
import { createApi, eventually, type Api } from './api.ts'
import { balance, type KillBooks } from './kill-books.ts'
import { createRecorder, fireIdOf, outcomeOf, type Invoke, type Outcome, type Recorder } from './kill-recorder.ts'
import { removeDirectory, scratchDirectory, startHub, type HubProcess } from './hub-process.ts'
import { seededRandom } from './seeded-random.ts'
import { openSink, sinkCode, type Sink } from './sink.ts'
import { surroundings, type Surroundings } from './surroundings.ts'

/**
 * Kills the hub at random moments under load and checks its promises from outside (reliability.md §7): recorder and sink
 * are this process's own, and only what was acknowledged counts.
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
  surroundings: Surroundings
  seed: number
  kills: number
  firesPerSecond: number
  invokesPerSecond: number
  firesSent: number
  firesAccepted: number
  invokesSent: number
  invokesAccepted: number
  /** How many invokes were answered with which status; the others were not answered, because the hub died first. */
  invokeStatuses: Record<number, number>
  /** Accepted and without a terminal record. */
  losses: string[]
  /** Records that no obligation explains, runs without a record, answers that name another id than the event's. */
  unexpected: string[]
  /** Runs that the sink saw more than once. */
  duplicates: number
  /** The most runs that can be in flight at one kill: sent to a container, record not durable. */
  inFlightMax: number
  duplicatesOfWorstKill: number
  /** Runs that were repeated although no kill came between them: there must be none. */
  unexplainedRepetitions: number
  restartMsMax: number
  books: Omit<KillBooks, 'losses' | 'unexpected'>
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
  const sink = await openSink()
  const dataDir = join(directory, 'data')
  const start = (port: number): Promise<HubProcess> =>
    startHub({
      dataDir,
      port,
      config: `invoker: { userMemoryMb: ${poolPlaces * 256} }\n${sink.config}`,
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
    const { seed, kills, firesPerSecond, invokesPerSecond } = options
    return { surroundings: surroundings(), seed, kills, firesPerSecond, invokesPerSecond, restartMsMax, ...report }
  } finally {
    await load.stop()
    await api.close()
    await hub.kill()
    await sink.close()
    removeDirectory(directory)
  }
}

/** The action reports its activation id and the load's own number of an invoke to the sink before it answers. */
async function prepare(api: Api, sink: Sink): Promise<void> {
  const code = `${sinkCode}
async function main(args) {
  await report(args, args.op)
  return new Promise(done => setTimeout(() => done({ ok: true, op: args.op }), 5))
}`
  // Under sabotage a write is answered before it is there: what is put must be seen before the load begins.
  const put = (path: string, body: unknown): Promise<unknown> =>
    eventually(async () => {
      const { status } = await api.call('PUT', `${path}?overwrite=true`, { body })
      return status === 200 && (await api.call('GET', path)).status === 200
    })
  await put('actions/report', { exec: { kind: 'nodejs:20', code }, parameters: [{ key: 'sink', value: sink.address }] })
  await put('triggers/events', {})
  for (const rule of rules) await put(`rules/${rule}`, { trigger: '/_/events', action: '/_/report' })
}

/** Open loop: a request goes out when it is due, whatever became of those before. */
function createLoad(api: Api, recorder: Recorder, options: KillRunOptions): { start(): void; stop(): Promise<void> } {
  const timers: NodeJS.Timeout[] = []
  const underWay = new Set<Promise<void>>()
  const send = (work: () => Promise<void>): void => {
    if (underWay.size > 2000) return
    const sent = work().catch(() => undefined)
    underWay.add(sent)
    void sent.finally(() => underWay.delete(sent))
  }
  const fire = async (): Promise<void> => {
    const id = `e${recorder.fires.size}`
    const fireId = fireIdOf('alpha', 'events', '/rig', id)
    const entry: { eventId: string; outcome: Outcome } = { eventId: id, outcome: 'unknown' }
    recorder.fires.set(fireId, entry)
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
    entry.outcome = outcomeOf(status)
    if (status === 202 && body?.activationId !== fireId) recorder.wrong.push(`fire ${id}: ${body?.activationId}`)
  }
  const invoke = async (): Promise<void> => {
    const op = `i${recorder.invokes.size}`
    const entry: Invoke = { outcome: 'unknown' }
    recorder.invokes.set(op, entry)
    const answer = await api.call('POST', 'actions/report?blocking=true', { body: { op }, timeoutMs: 70_000 })
    entry.status = answer.status
    const id = answer.headers['x-openwhisk-activation-id'] ?? answer.body?.activationId
    if (typeof id === 'string') Object.assign(entry, { outcome: 'accepted', activationId: id })
    else entry.outcome = outcomeOf(answer.status)
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
  sink: Sink,
  killTimes: readonly number[],
  settleMs: number,
): Promise<
  Omit<KillReport, 'surroundings' | 'seed' | 'kills' | 'firesPerSecond' | 'invokesPerSecond' | 'restartMsMax'>
> {
  const unsettled = await settleAll(api, recorder, settleMs)
  const runs = readSink(sink)
  const ran = new Map([...runs].map(([id, { op }]) => [id, op]))
  const { losses, unexpected, ...books } = await balance(api, recorder, { rules, ran, quietMs: settleMs })
  const repetitions = countRepetitions(
    [...runs.values()].map(({ times }) => times),
    killTimes,
  )
  const accepted = (entries: Iterable<{ outcome: Outcome }>) =>
    [...entries].filter(({ outcome }) => outcome === 'accepted').length
  return {
    firesSent: recorder.fires.size,
    firesAccepted: accepted(recorder.fires.values()),
    invokesSent: recorder.invokes.size,
    invokesAccepted: accepted(recorder.invokes.values()),
    invokeStatuses: tally([...recorder.invokes.values()].flatMap(({ status }) => status ?? [])),
    losses: [...unsettled, ...losses],
    unexpected: [...recorder.wrong, ...unexpected, ...(await withoutRecord(api, runs.keys()))],
    inFlightMax,
    ...repetitions,
    books,
  }
}

function tally(values: readonly number[]): Record<number, number> {
  const counts: Record<number, number> = {}
  for (const value of values) counts[value] = (counts[value] ?? 0) + 1
  return counts
}

/** Waits for the fires that were answered to be settled, and tells of those that are not. */
async function settleAll(api: Api, recorder: Recorder, settleMs: number): Promise<string[]> {
  const losses: string[] = []
  const endMs = Date.now() + settleMs
  for (const [fireId, { eventId, outcome }] of recorder.fires) {
    if (outcome !== 'accepted') continue
    const settlement = await settled(api, fireId, endMs)
    const runs = (settlement?.runs ?? []) as { rule: string; status: string }[]
    for (const rule of rules) {
      const run = runs.find(candidate => candidate.rule === `alpha/${rule}`)
      if (!run || run.status === 'pending') losses.push(`fire ${eventId} rule ${rule} is not settled`)
    }
  }
  return losses
}

type SunkRun = { readonly op: string; readonly times: number[] }

/** The runs that actions reported, by activation id. */
function readSink({ reports }: Sink): Map<string, SunkRun> {
  const runs = new Map<string, SunkRun>()
  for (const { activationId, atMs, text } of reports) {
    const run = runs.get(activationId)
    if (run) run.times.push(atMs)
    else runs.set(activationId, { op: text, times: [atMs] })
  }
  return runs
}

/** A repetition belongs to the kill that interrupted the run before it, however late the second run came. */
function countRepetitions(runs: readonly number[][], killTimes: readonly number[]) {
  const perKill = new Map<number, number>()
  let duplicates = 0
  let unexplainedRepetitions = 0
  for (const times of runs) {
    times.sort((a, b) => a - b)
    for (const [index, atMs] of times.slice(1).entries()) {
      duplicates++
      const beforeMs = times[index] ?? 0
      const kill = killTimes.findIndex(killMs => killMs >= beforeMs)
      const killMs = killTimes[kill]
      if (killMs === undefined || killMs > atMs) unexplainedRepetitions++
      else perKill.set(kill, (perKill.get(kill) ?? 0) + 1)
    }
  }
  return { duplicates, duplicatesOfWorstKill: Math.max(0, ...perKill.values()), unexplainedRepetitions }
}

async function settled(api: Api, fireId: string, endMs: number): Promise<any> {
  return eventually(
    async () => {
      const { status, body } = await api.call('GET', `activations/${fireId}/settlement?waitMs=2000`)
      if (status === 200 && body.settled) return body
      return Date.now() > endMs ? (body ?? {}) : undefined
    },
    Math.max(1000, endMs - Date.now()),
  ).catch(() => undefined)
}

/** Ids that ran and have no record at all. */
async function withoutRecord(api: Api, ids: Iterable<string>): Promise<string[]> {
  const found: string[] = []
  for (const id of ids) {
    const { status } = await api.call('GET', `activations/${id}`)
    if (status !== 200) found.push(id)
  }
  return found
}

function pause(ms: number): Promise<void> {
  return new Promise(done => setTimeout(done, ms))
}
