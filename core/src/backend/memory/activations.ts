import {
  filterName,
  parseJson,
  SluiceError,
  stringifyJson,
  summaryOf,
  type ActivationRecord,
} from '../../model/index.ts'
import type { ActivationQuery, ActivationStore } from '../../spi/index.ts'

export function createActivations(): ActivationStore {
  const texts = new Map<string, string>()

  function insert(record: ActivationRecord): 'inserted' | 'exists' {
    const key = keyOf(record.namespace, record.activationId)
    if (texts.has(key)) return 'exists'
    texts.set(key, stringifyJson(record))
    return 'inserted'
  }

  function all(): ActivationRecord[] {
    return [...texts.values()].map(text => parseJson(text) as ActivationRecord)
  }

  /** Newest first, after `skip`. */
  function matching({
    namespace,
    name,
    sinceMs = -Infinity,
    uptoMs = Infinity,
    skip,
  }: ActivationQuery): ActivationRecord[] {
    return all()
      .filter(record => record.namespace === namespace && !record.sluice?.unlisted)
      .filter(record => name === undefined || filterName(record) === name)
      .filter(({ start }) => start >= sinceMs && start <= uptoMs)
      .sort((a, b) => b.start - a.start)
      .slice(skip)
  }

  /** As long as a run of it has no record; a run's as long as its trigger's is there. */
  function isNeeded({ namespace, sluice }: ActivationRecord, going: ReadonlySet<string>): boolean {
    const there = (activationId: string) => texts.has(keyOf(namespace, activationId))
    if (sluice?.runs) return sluice.runs.some(run => run.activationId !== undefined && !there(run.activationId))
    const fire = sluice?.rule === undefined ? undefined : sluice.fireId
    return fire !== undefined && !going.has(keyOf(namespace, fire)) && there(fire)
  }

  return {
    insert: async record => insert(record),
    insertMany: async records =>
      records.map(record => {
        try {
          return insert(record)
        } catch (error) {
          return error as Error
        }
      }),
    async get(namespace, activationId) {
      const text = texts.get(keyOf(namespace, activationId))
      return text === undefined ? undefined : (parseJson(text) as ActivationRecord)
    },
    list: async query => matching(query).slice(0, Math.max(0, query.limit)).map(summaryOf),
    async listFull(query) {
      const found = matching(query).slice(0, Math.max(0, query.limit))
      const size = found.reduce((sum, record) => sum + stringifyJson(record).length, 0)
      if (size > query.bytesMax) throw tooLarge(size, query.bytesMax)
      return each(found)
    },
    count: async query => matching(query).length,
    async prune(beforeMs, limit) {
      const going = new Set<string>()
      for (const record of all().sort((a, b) => a.start - b.start)) {
        if (record.start >= beforeMs || going.size >= limit) break
        if (!isNeeded(record, going)) going.add(keyOf(record.namespace, record.activationId))
      }
      for (const key of going) texts.delete(key)
      return going.size
    },
    close: async () => undefined,
  }
}

async function* each(records: readonly ActivationRecord[]): AsyncGenerator<ActivationRecord> {
  yield* records
}

function tooLarge(size: number, max: number): SluiceError {
  return new SluiceError('SLUICE_TOO_LARGE', `The records have ${size} characters, more than ${max}.`)
}

function keyOf(namespace: string, activationId: string): string {
  return `${namespace}/${activationId}`
}
