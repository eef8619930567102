import { eventually, type Api } from './api.ts'
import { readOpen } from './books.ts'
import { runIdOf, type Recorder } from './kill-recorder.ts'

/**
 * The books at the quiet moment after a run (reliability.md P10, R21): every record of the namespace against every
 * obligation that the hub took on. What had no answer is decided by whether it left a record; then both sides are equal.
 */
export type KillBooks = {
  /** Obligations: a record for each accepted fire, for each of its runs and for each accepted invoke. */
  accepted: number
  /** Records. */
  settled: number
  /** Operations without an answer, and how many of them turned out to have been accepted. */
  unknown: { sent: number; accepted: number }
  /** Obligations without a terminal record. */
  losses: string[]
  /** Records that no obligation explains. */
  unexpected: string[]
  /** By the hub's own count: fires that wait and runs that are under way. There must be none. */
  inFlight: number
  /** Runs that its bound on the backlog still counts. */
  backlog: number
}

export async function balance(
  api: Api,
  recorder: Recorder,
  options: { rules: readonly string[]; ran: ReadonlyMap<string, string>; quietMs: number },
): Promise<KillBooks> {
  const { rules, ran } = options
  const open = await quiet(api, options.quietMs)
  const records = await allRecords(api)
  const settled = await count(api)
  const losses: string[] = []
  const left = new Map(records)
  const books = { accepted: 0, unknown: { sent: 0, accepted: 0 } }

  for (const [fireId, { eventId, outcome }] of recorder.fires) {
    if (outcome === 'unknown') books.unknown.sent++
    if (outcome === 'refused' || (outcome === 'unknown' && !records.has(fireId))) continue
    if (outcome === 'unknown') books.unknown.accepted++
    for (const id of [fireId, ...rules.map(rule => runIdOf(fireId, rule))]) {
      books.accepted++
      if (!left.delete(id)) losses.push(`fire ${eventId}: ${id}`)
    }
  }
  for (const [op, { outcome, activationId = '' }] of recorder.invokes) {
    if (outcome !== 'accepted') continue
    books.accepted++
    if (!left.delete(activationId)) losses.push(`invoke ${op}: ${activationId}`)
  }
  // What is left can only be invokes whose answer never came: by what they returned, by what they wrote into the sink, or,
  // those that came to nothing, by their number alone.
  const unanswered = new Set([...recorder.invokes].filter(([, { outcome }]) => outcome === 'unknown').map(([op]) => op))
  books.unknown.sent += unanswered.size
  const unnamed: string[] = []
  const unexpected: string[] = []
  for (const [id, record] of left) {
    const op = record.response?.result?.op ?? ran.get(id)
    if (op === undefined && record.name === 'report' && record.response?.status === 'whisk internal error')
      unnamed.push(id)
    else if (!unanswered.delete(op ?? '')) unexpected.push(id)
  }
  unexpected.push(...unnamed.splice(unanswered.size))
  const resolved = left.size - unexpected.length
  return {
    accepted: books.accepted + resolved,
    settled,
    unknown: { sent: books.unknown.sent, accepted: books.unknown.accepted + resolved },
    losses,
    unexpected,
    ...open,
  }
}

/** Waits until the hub says that nothing is under way; resolves to what is, when it takes too long. */
async function quiet(api: Api, withinMs: number): Promise<{ inFlight: number; backlog: number }> {
  const isQuiet = async () => (await readOpen(api)).inFlight === 0
  await eventually(isQuiet, withinMs).catch(() => undefined)
  return readOpen(api)
}

async function count(api: Api): Promise<number> {
  const { body } = await api.call('GET', 'activations?count=true&limit=0')
  return Number(body.activations)
}

async function allRecords(api: Api): Promise<Map<string, any>> {
  const records = new Map<string, any>()
  for (let skip = 0; ;) {
    const { status, body } = await api.call('GET', `activations?docs=true&limit=200&skip=${skip}`)
    if (status !== 200 || !Array.isArray(body)) throw new Error(`The records cannot be listed: ${status}`)
    for (const record of body) records.set(record.activationId as string, record)
    if (body.length === 0) return records
    skip += body.length
  }
}
