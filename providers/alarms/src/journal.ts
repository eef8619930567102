import { bounds } from '@sluice/core/model'
import type { Logger, StateStore } from '@sluice/core/spi'
import { shardOf } from '@sluice/provider-kit'
import type { Ledger } from './engine/ledger.ts'

/** What is kept of one subscription's instants. */
export type Line = { readonly subId: string; readonly generation: number; readonly ledger: Ledger }

/**
 * The ledgers of all subscriptions, kept so that one write covers everything that changed together (design.md §5).
 *
 *   record, record, flush -> one document `alarms/journal/<n>` with the changed lines
 *   many of those         -> folded into `alarms/ledger/<shard>`, then deleted
 *
 * Opening reads the shards, then the journal in order; each shard says up to which document it has been folded.
 */
export interface Journal {
  get(id: string): Line | undefined
  /** Changes a line in memory; `undefined` removes it. */
  record(id: string, line: Line | undefined): void
  /** Resolves when everything recorded so far is durable; one write at a time, what comes meanwhile shares the next. */
  flush(): Promise<void>
  /** Drops the lines that `keep` refuses. */
  retain(keep: (id: string, line: Line) => boolean): void
  /** Flushes and folds. */
  close(): Promise<void>
  readonly size: number
}

type Segment = { readonly lines: Readonly<Record<string, Line | null>> }
type Shard = { readonly throughSequence: number; readonly lines: Readonly<Record<string, Line>> }

const segmentPrefix = 'alarms/journal/'
const shardPrefix = 'alarms/ledger/'

/** Reads what an earlier process left. */
export async function openJournal(state: StateStore, log: Logger): Promise<Journal> {
  const lines = new Map<string, Line>()
  const throughSequences = new Map<number, number>()
  /** Documents that are not folded yet, oldest first. */
  const segments: { key: string; lines: number }[] = []
  let sequence = 0
  let segmentLines = 0
  let dirty = new Map<string, Line | undefined>()
  const dirtyShards = new Set<number>()
  let writing: Promise<void> = Promise.resolve()
  let upcoming: Promise<void> | undefined
  let folding: Promise<void> | undefined

  for await (const { key, value } of entriesOf(state, shardPrefix)) {
    const shard = value as Shard
    throughSequences.set(Number(key.slice(shardPrefix.length)), shard.throughSequence)
    sequence = Math.max(sequence, shard.throughSequence)
    for (const [id, line] of Object.entries(shard.lines)) lines.set(id, line)
  }
  for await (const { key, value } of entriesOf(state, segmentPrefix)) {
    const number = Number(key.slice(segmentPrefix.length))
    const changes = Object.entries((value as Segment).lines)
    for (const [id, line] of changes) {
      const shard = shardOf(id)
      if (number <= (throughSequences.get(shard) ?? 0)) continue
      if (line) lines.set(id, line)
      else lines.delete(id)
      dirtyShards.add(shard)
    }
    segments.push({ key, lines: changes.length })
    segmentLines += changes.length
    sequence = Math.max(sequence, number)
  }

  function record(id: string, line: Line | undefined): void {
    if (line) lines.set(id, line)
    else if (!lines.delete(id)) return
    dirty.set(id, line)
    dirtyShards.add(shardOf(id))
  }

  function flush(): Promise<void> {
    if (dirty.size === 0) return writing
    upcoming ??= writing
      .catch(() => undefined)
      .then(() => {
        upcoming = undefined
        writing = write()
        return writing
      })
    return upcoming
  }

  async function write(): Promise<void> {
    const changes = dirty
    dirty = new Map()
    const all = [...changes]
    try {
      for (let at = 0; at < all.length; at += bounds.alarms.segmentLinesMax) {
        const part = all.slice(at, at + bounds.alarms.segmentLinesMax).map(([id, line]) => [id, line ?? null] as const)
        const key = segmentPrefix + String(++sequence).padStart(16, '0')
        await state.put(key, { lines: Object.fromEntries(part) } satisfies Segment)
        segments.push({ key, lines: part.length })
        segmentLines += part.length
      }
    } catch (error) {
      // What was changed again meanwhile is newer.
      for (const [id, line] of all) if (!dirty.has(id)) dirty.set(id, line)
      throw error
    }
    const many = Math.max(bounds.alarms.journalLinesMin, bounds.alarms.journalLinesPerSubscription * lines.size)
    if (segments.length >= bounds.alarms.journalSegmentsMax || segmentLines > many) {
      folding ??= fold()
        .catch((error: unknown) => log.warn({ err: error }, 'journal not folded; it is tried again'))
        .finally(() => (folding = undefined))
    }
  }

  /** A shard may already hold what no journal document has yet: newer is never wrong. */
  async function fold(): Promise<void> {
    const through = sequence
    const covered = segments.slice()
    const shards = [...dirtyShards]
    dirtyShards.clear()
    const byShard = new Map<number, Record<string, Line>>(shards.map(shard => [shard, {}]))
    for (const [id, line] of lines) {
      const content = byShard.get(shardOf(id))
      if (content) content[id] = line
    }
    try {
      const results = await state.putMany(
        [...byShard].map(([shard, content]) => ({
          key: shardPrefix + String(shard).padStart(2, '0'),
          value: { throughSequence: through, lines: content } satisfies Shard,
          revision: 'any',
        })),
      )
      for (const result of results) if (result instanceof Error) throw result
      await Promise.all(covered.map(({ key }) => state.delete(key)))
    } catch (error) {
      for (const shard of shards) dirtyShards.add(shard)
      throw error
    }
    segments.splice(0, covered.length)
    for (const { lines: count } of covered) segmentLines -= count
  }

  return {
    get: id => lines.get(id),
    record,
    flush,
    retain(keep) {
      for (const [id, line] of lines) if (!keep(id, line)) record(id, undefined)
    },
    async close() {
      await flush()
      await folding
      if (segments.length > 0) await fold()
    },
    get size() {
      return lines.size
    },
  }
}

async function* entriesOf(state: StateStore, prefix: string) {
  let after: string | undefined
  for (;;) {
    const page = await state.scan({ prefix, after, limit: bounds.store.scanMax })
    yield* page
    after = page.at(-1)?.key
    if (page.length < bounds.store.scanMax) return
  }
}
