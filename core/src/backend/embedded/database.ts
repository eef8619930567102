import { SluiceError, isSluiceError } from '../../model/index.ts'
import type { Clock, Logger } from '../../spi/index.ts'
import { CommitQueue, type Sabotage } from './commit-queue.ts'
import type { Engine } from './engine.ts'
import { unseal, type Document } from './envelope.ts'
import { keyOf } from './keys.ts'

export type Found = { readonly key: string; readonly document: Document }

/** A stretch of keys; `gt` and `gte` exclude each other, as do `lt` and `lte`. */
export type Range = {
  gt?: string
  gte?: string
  lt?: string
  lte?: string
  reverse?: boolean
  limit?: number
  /** How many bytes one step may bring into memory. */
  highWaterMarkBytes?: number
}

const formatVersion = 1
const formatKey = keyOf('meta', 'format')
const epochKey = keyOf('meta', 'epoch')

/** How many entries are taken from the database in one step. */
const stepMax = 1000

/** The database with its checks: everything read has been compared with its checksum. */
export class Database {
  readonly commits: CommitQueue
  /** Values that did not match their checksum, counted each time one was met. */
  corruptions = 0
  readonly #engine: Engine
  readonly #log: Logger

  constructor(engine: Engine, commits: CommitQueue, log: Logger) {
    this.#engine = engine
    this.commits = commits
    this.#log = log
  }

  /** Throws SLUICE_STORE_CORRUPT. Reads what is durable, never what is under way. */
  async get(key: string): Promise<Document | undefined> {
    if (this.commits.sabotaged) return this.getSync(key)
    const text = await this.#read(key, () => this.#engine.get(key))
    return text === undefined ? undefined : this.#checked(key, text)
  }

  /** Holds the process up while it reads: for small documents that are looked up all the time (about 2 µs). */
  getSync(key: string): Document | undefined {
    const early = this.commits.sabotaged ? this.commits.underWay(key) : undefined
    if (early) return early.document
    const text = this.#lookUp(key)
    return text === undefined ? undefined : this.#checked(key, text)
  }

  has(key: string): boolean {
    return this.#lookUp(key) !== undefined
  }

  /** Stored texts, unchecked, in the order of the keys given. */
  texts(keys: readonly string[]): Promise<(string | undefined)[]> {
    return this.#read(keys[0] ?? '', () => this.#engine.getMany([...keys]))
  }

  /** In the order of the keys given; damaged values are reported and left out, like missing ones. */
  async getMany(keys: readonly string[]): Promise<(Document | undefined)[]> {
    const texts = await this.texts(keys)
    return texts.map((text, at) => (text === undefined ? undefined : this.#sound(keys[at] ?? '', text)))
  }

  /** Documents in key order, at most `limit`; damaged ones are reported and left out. */
  async entries(range: Range & { limit: number }): Promise<Found[]> {
    const found: Found[] = []
    for await (const [key, text] of this.raw(range)) {
      const document = this.#sound(key, text)
      if (document) found.push({ key, document })
    }
    return found
  }

  /** Keys and stored texts, unchecked, in steps: as they are at the call, whatever is written before they are read. */
  raw(range: Range): AsyncGenerator<[key: string, text: string]> {
    const iterator = this.#engine.iterator(range)
    return this.#steps(
      () => iterator.nextv(stepMax),
      () => iterator.close(),
      range,
    )
  }

  async *#steps(
    next: () => Promise<[key: string, text: string][]>,
    close: () => Promise<void>,
    range: Range,
  ): AsyncGenerator<[key: string, text: string]> {
    try {
      for (;;) {
        const step = await this.#read(range.gte ?? range.gt ?? '', next)
        if (step.length === 0) return
        yield* step
      }
    } finally {
      await close()
    }
  }

  /** Keys only, in steps of up to 1000. */
  async *keySteps(range: Range): AsyncGenerator<string[]> {
    const iterator = this.#engine.keys(range)
    try {
      for (;;) {
        const step = await this.#read(range.gte ?? range.gt ?? '', () => iterator.nextv(stepMax))
        if (step.length === 0) return
        yield step
      }
    } finally {
      await iterator.close()
    }
  }

  /** Deletes a stretch of keys, unsynced: only for what may come back after a power cut. */
  async clear(range: { gte: string; lt: string }): Promise<void> {
    try {
      await this.#engine.clear(range)
    } catch (error) {
      this.commits.fail(error)
      throw error
    }
  }

  /** Checks a text that `raw` gave. Throws SLUICE_STORE_CORRUPT. */
  check(key: string, text: string): Document {
    return this.#checked(key, text)
  }

  close(): Promise<void> {
    return this.#engine.close()
  }

  #sound(key: string, text: string): Document | undefined {
    try {
      return this.#checked(key, text)
    } catch (error) {
      if (isSluiceError(error, 'SLUICE_STORE_CORRUPT')) return undefined
      throw error
    }
  }

  #checked(key: string, text: string): Document {
    try {
      return unseal(key, text)
    } catch (error) {
      this.corruptions++
      this.#log.error({ err: error, key }, 'stored document is damaged')
      throw error
    }
  }

  #lookUp(key: string): string | undefined {
    try {
      return this.#engine.getSync(key)
    } catch (error) {
      throw this.#unreadable(key, error)
    }
  }

  async #read<T>(key: string, read: () => Promise<T>): Promise<T> {
    try {
      return await read()
    } catch (error) {
      throw this.#unreadable(key, error)
    }
  }

  #unreadable(key: string, cause: unknown): SluiceError {
    if ((cause as { code?: string }).code !== 'LEVEL_CORRUPTION') {
      return new SluiceError('SLUICE_STORE_UNAVAILABLE', 'The database could not be read.', { cause })
    }
    this.corruptions++
    this.#log.error({ err: cause, key }, 'file of the database is damaged')
    return new SluiceError('SLUICE_STORE_CORRUPT', `A file of the database is damaged at or behind '${key}'.`, {
      cause,
    })
  }
}

export type DatabaseOptions = { clock: Clock; log: Logger; onFatal: (error: Error) => void; sabotage?: Sabotage }

/**
 * Checks the format of an opened database and begins a new epoch, durably, so that no later write can be taken for one
 * of an earlier process. Rejects with SLUICE_DATA_DIR for a format that this version does not know.
 */
export async function openDatabase(engine: Engine, options: DatabaseOptions): Promise<Database> {
  const { clock, log, onFatal, sabotage } = options
  const format = readNumber(engine, formatKey, formatVersion, log)
  if (format !== undefined && format > formatVersion) {
    throw new SluiceError(
      'SLUICE_DATA_DIR',
      `The data were written by a newer version (format ${format}; this version knows ${formatVersion}).`,
    )
  }
  // Should the last epoch be unreadable, the seconds of the clock are beyond any count of openings.
  const epoch = (readNumber(engine, epochKey, Math.trunc(clock.nowMs() / 1000), log) ?? 0) + 1
  const commits = new CommitQueue({ engine, epoch, clock, onFatal, sabotage })
  await commits.write(writer => {
    writer.put(formatKey, String(formatVersion))
    writer.put(epochKey, String(epoch))
  })
  await commits.flush()
  return new Database(engine, commits, log)
}

function readNumber(engine: Engine, key: string, ifDamaged: number, log: Logger): number | undefined {
  const text = engine.getSync(key)
  if (text === undefined) return undefined
  try {
    return Number(unseal(key, text).body)
  } catch (error) {
    log.error({ err: error, key }, 'stored document is damaged')
    return ifDamaged
  }
}
