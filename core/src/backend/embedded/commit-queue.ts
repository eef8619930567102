import { bounds, SluiceError } from '../../model/index.ts'
import type { Clock } from '../../spi/index.ts'
import { Batch, type BatchOptions, type UnderWay, type Writer } from './batch.ts'
import type { Engine } from './engine.ts'

export type CommitQueueOptions = {
  engine: Engine
  epoch: number
  clock: Clock
  /** Called once, after the first write that the disk did not confirm. The process must end. */
  onFatal: (error: Error) => void
  /** Tests only: resolves writes before they are written, and writes them so late that a kill loses them. */
  sabotage?: Sabotage
}

export type Sabotage = 'acknowledge-before-sync'

const sabotageDelayMs = 200

/**
 * Group commit (reliability.md §6.2.7): whatever arrives while a synced batch is under way goes into the next one, and
 * no write is acknowledged before its batch has been synced. After a failed sync nothing is acknowledged any more:
 * what the system did with the pages is unknown, so a second sync that succeeds would prove nothing.
 */
export class CommitQueue {
  readonly epoch: number
  /** Reads must look at what is under way too, or the process would miss its own writes. */
  readonly sabotaged: boolean
  /** So far, for the metrics. */
  readonly counts = { commits: 0, operations: 0 }
  readonly #options: CommitQueueOptions
  readonly #sealHooks: ((writer: Writer) => void)[] = []
  readonly #tracked = new Map<string, UnderWay>()
  #riders: ((writer: Writer) => void)[] = []
  #riderTimer = false
  /** Oldest first; the last one is open for writes. */
  #waiting: Batch[] = []
  #waitingBytes = 0
  #running = false
  #failure: SluiceError | undefined
  readonly #batchOptions: BatchOptions

  constructor(options: CommitQueueOptions) {
    const { engine, epoch } = options
    this.epoch = epoch
    this.sabotaged = options.sabotage !== undefined
    this.#options = options
    let sequence = 0
    const nextSequence = () => ++sequence
    this.#batchOptions = { engine, epoch, nextSequence, tracked: this.#tracked, trackAll: this.sabotaged }
  }

  /**
   * Resolves when everything that `fill` wrote is durable. `fill` runs at once and must not throw; `committed` runs just
   * before the promise resolves, in the order of the writes. Rejects with SLUICE_STORE_UNAVAILABLE when the disk did not
   * confirm, with SLUICE_OVERLOADED when too much is waiting for it.
   */
  write(fill: (writer: Writer) => void, committed?: () => void): Promise<void> {
    const refusal = this.#refusal()
    if (refusal) return Promise.reject(refusal)
    const batch = this.#openBatch()
    const bytesBefore = batch.bytes
    batch.writes++
    fill(batch)
    this.#waitingBytes += batch.bytes - bytesBefore
    this.#schedule()
    if (this.sabotaged) {
      if (committed) queueMicrotask(committed)
      return Promise.resolve()
    }
    if (committed) batch.committed.push(committed)
    return batch.durable
  }

  /** Writes that nobody waits for: they go along with the next commit, or with one of their own if none comes soon. */
  ride(fill: (writer: Writer) => void): void {
    if (this.#failure) return
    this.#riders.push(fill)
    if (this.#riderTimer) return
    this.#riderTimer = true
    const { clock } = this.#options
    clock.setTimer(bounds.bus.positionWriteMs, () => this.#rideAlone(), { unref: true })
  }

  /** Calls `hook` before each batch is closed, so that it can write totals of what is in the batch. */
  beforeSeal(hook: (writer: Writer) => void): void {
    this.#sealHooks.push(hook)
  }

  /** The last write of a tracked key, if it is not durable yet. */
  underWay(key: string): UnderWay | undefined {
    return this.#tracked.get(key)
  }

  /** Resolves when everything written so far is durable, riders too. */
  async flush(): Promise<void> {
    const refusal = this.#refusal()
    if (refusal) throw refusal
    const batch = this.#openBatch()
    this.#schedule()
    await batch.durable
  }

  /** Resolves when nothing is under way any more, or the disk has failed, which has been told already. */
  async settled(): Promise<void> {
    await this.flush().catch(() => undefined)
  }

  #refusal(): SluiceError | undefined {
    if (this.#failure || this.#waitingBytes <= bounds.store.pendingBytesMax) return this.#failure
    return new SluiceError('SLUICE_OVERLOADED', 'Too many writes are waiting for the disk.')
  }

  #openBatch(): Batch {
    const last = this.#waiting.at(-1)
    if (last && last.operations < bounds.store.batchOpsMax && last.bytes < bounds.store.batchBytesMax) return last
    if (last) this.#seal(last)
    const batch = new Batch(this.#batchOptions)
    this.#waiting.push(batch)
    return batch
  }

  #seal(batch: Batch): void {
    if (batch.sealed) return
    batch.sealed = true
    const bytesBefore = batch.bytes
    const riders = this.#riders
    this.#riders = []
    for (const rider of riders) rider(batch)
    for (const hook of this.#sealHooks) hook(batch)
    this.#waitingBytes += batch.bytes - bytesBefore
  }

  #rideAlone(): void {
    this.#riderTimer = false
    if (this.#riders.length > 0) this.flush().catch(() => undefined)
  }

  /** An idle queue starts when this turn of the event loop is over, so that the writes of one turn share a sync. */
  #schedule(): void {
    if (this.#running) return
    this.#running = true
    setImmediate(() => void this.#drain())
  }

  async #drain(): Promise<void> {
    const { clock } = this.#options
    for (let batch = this.#waiting[0]; batch; batch = this.#waiting[0]) {
      this.#seal(batch)
      this.#waiting.shift()
      try {
        if (this.sabotaged) await clock.sleep(sabotageDelayMs)
        await batch.sync()
      } catch (error) {
        this.fail(error, batch)
        return
      }
      this.#waitingBytes -= batch.bytes
      this.counts.commits++
      this.counts.operations += batch.operations
      batch.confirm()
      if (batch.writes >= bounds.store.crowdedWrites) await clock.sleep(bounds.store.crowdedPauseMs)
    }
    this.#running = false
  }

  /** Refuses everything from now on, because a write has failed: here, or one that did not go through the queue. */
  fail(cause: unknown, batch?: Batch): void {
    if (this.#failure) return
    this.#failure = new SluiceError(
      'SLUICE_STORE_UNAVAILABLE',
      'The disk did not confirm a write; the hub must stop.',
      {
        cause,
      },
    )
    const lost = batch ? [batch, ...this.#waiting] : this.#waiting
    this.#waiting = []
    this.#riders = []
    for (const each of lost) each.refuse(this.#failure)
    this.#options.onFatal(this.#failure)
  }
}
