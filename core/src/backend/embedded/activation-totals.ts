import { isSluiceError } from '../../model/index.ts'
import type { Writer } from './batch.ts'
import { idKey, namespaceOfTotal, totalKey, type IdEntry } from './activation-keys.ts'
import type { Database } from './database.ts'
import { endOf } from './keys.ts'

type Total = { listed: number; bytes: number }

/**
 * How many records each namespace has, and how large they are: so that counting them reads nothing. The totals of a
 * namespace are written with every batch that changes them, so they are never apart from the records.
 */
export class ActivationTotals {
  /** Of all namespaces. */
  bytes = 0
  readonly #totals = new Map<string, Total>()
  readonly #changed = new Set<string>()

  listed(namespace: string): number {
    return this.#totals.get(namespace)?.listed ?? 0
  }

  /** To be called while the records are written, so that the totals get into the same batch. */
  add(namespace: string, listed: number, bytes: number): void {
    const total = this.#totals.get(namespace) ?? { listed: 0, bytes: 0 }
    total.listed += listed
    total.bytes += bytes
    this.bytes += bytes
    this.#totals.set(namespace, total)
    this.#changed.add(namespace)
  }

  write(writer: Writer): void {
    for (const namespace of this.#changed) {
      const total = this.#totals.get(namespace)
      if (total) writer.put(totalKey(namespace), JSON.stringify(total))
    }
    this.#changed.clear()
  }

  async read(database: Database): Promise<void> {
    const prefix = totalKey('')
    for await (const [key, text] of database.raw({ gte: prefix, lt: endOf(prefix) })) {
      const namespace = namespaceOfTotal(key)
      try {
        this.#set(namespace, JSON.parse(database.check(key, text).body) as Total)
      } catch (error) {
        if (!isSluiceError(error, 'SLUICE_STORE_CORRUPT')) throw error
        this.#set(namespace, await recount(database, namespace))
        this.#changed.add(namespace)
      }
    }
  }

  #set(namespace: string, total: Total): void {
    this.#totals.set(namespace, total)
    this.bytes += total.bytes
  }
}

async function recount(database: Database, namespace: string): Promise<Total> {
  const total = { listed: 0, bytes: 0 }
  const prefix = idKey({ namespace, activationId: '' })
  for await (const [key, text] of database.raw({ gte: prefix, lt: endOf(prefix) })) {
    const entry = entryOf(database, key, text)
    if (!entry) continue
    total.bytes += entry.size
    if (entry.name !== undefined) total.listed++
  }
  return total
}

function entryOf(database: Database, key: string, text: string): IdEntry | undefined {
  try {
    return JSON.parse(database.check(key, text).body) as IdEntry
  } catch (error) {
    if (isSluiceError(error, 'SLUICE_STORE_CORRUPT')) return undefined
    throw error
  }
}
