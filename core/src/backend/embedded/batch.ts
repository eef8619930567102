import type { Engine } from './engine.ts'
import { seal, type Document } from './envelope.ts'

/** Collects the writes of one commit; what is written in one go becomes durable together or not at all. */
export interface Writer {
  /** Stores JSON text under the key; gives the write's sequence number. */
  put(key: string, body: string): number
  /** `put` and `del` that `CommitQueue.underWay` tells of until they are durable. */
  putTracked(key: string, body: string): Document
  delTracked(key: string): void
  /** An index entry: the key is all there is to it. */
  mark(key: string): void
  /** Stores a text as it is, without an envelope: for what was found damaged. */
  keep(key: string, text: string): void
  del(key: string): void
}

/** A write that is not durable yet; without a document it deletes. */
export type UnderWay = { readonly document?: Document; readonly durable: Promise<void>; readonly batch: Batch }

export type BatchOptions = {
  engine: Engine
  epoch: number
  nextSequence: () => number
  tracked: Map<string, UnderWay>
  /** Tells of every write, not only of the tracked ones. */
  trackAll: boolean
}

type Chain = {
  put(key: string, value: string): unknown
  del(key: string): unknown
  write(options: { sync: boolean }): Promise<void>
  close(): Promise<void>
}

/**
 * One batch of the database under construction. It goes to the database's own memory as it grows: that is cheaper than
 * an array of operations that is copied at the end.
 */
export class Batch implements Writer {
  operations = 0
  /** Callers that wait for it. */
  writes = 0
  /** Characters of keys and texts, which is about bytes. */
  bytes = 0
  sealed = false
  /** Settles with the sync. */
  readonly durable: Promise<void>
  /** To be called before `durable` resolves, in the order of the writes. */
  readonly committed: (() => void)[] = []
  readonly #chain: Chain
  readonly #options: BatchOptions
  readonly #trackedHere: string[] = []
  #resolve: () => void = () => undefined
  #reject: (error: Error) => void = () => undefined

  constructor(options: BatchOptions) {
    this.#chain = options.engine.batch()
    this.#options = options
    this.durable = new Promise((resolve, reject) => {
      this.#resolve = resolve
      this.#reject = reject
    })
    // Riders have nobody who waits.
    this.durable.catch(() => undefined)
  }

  put(key: string, body: string): number {
    const { epoch, nextSequence, trackAll } = this.#options
    const sequence = nextSequence()
    this.keep(key, seal(key, body, sequence, epoch))
    if (trackAll) this.#track(key, { sequence, epoch, body })
    return sequence
  }

  putTracked(key: string, body: string): Document {
    const document = { sequence: this.put(key, body), epoch: this.#options.epoch, body }
    this.#track(key, document)
    return document
  }

  mark(key: string): void {
    this.keep(key, '')
  }

  keep(key: string, text: string): void {
    this.#chain.put(key, text)
    this.operations++
    this.bytes += key.length + text.length
  }

  del(key: string): void {
    this.#chain.del(key)
    this.operations++
    this.bytes += key.length
  }

  delTracked(key: string): void {
    this.del(key)
    this.#track(key)
  }

  /** An empty batch has nothing to sync. */
  sync(): Promise<void> {
    return this.operations === 0 ? this.#chain.close() : this.#chain.write({ sync: true })
  }

  confirm(): void {
    this.#forget()
    for (const tell of this.committed) tell()
    this.#resolve()
  }

  refuse(error: Error): void {
    this.#forget()
    this.#reject(error)
  }

  #track(key: string, document?: Document): void {
    this.#options.tracked.set(key, { document, durable: this.durable, batch: this })
    this.#trackedHere.push(key)
  }

  #forget(): void {
    const { tracked } = this.#options
    for (const key of this.#trackedHere) if (tracked.get(key)?.batch === this) tracked.delete(key)
  }
}
