import { bounds } from '../../model/index.ts'
import {
  logSentinel,
  type Clock,
  type LogRead,
  type LogReadOptions,
  type LogStream,
  type Timer,
} from '../../spi/index.ts'
import { LineSplitter } from './line-splitter.ts'

export type OutputStream = 'stdout' | 'stderr'

const sentinelBytes = Buffer.from(logSentinel)
/** Entries of the queue that are not lines. Formatted lines are longer. */
const sentinelMark = ''
const lossMark = '!'
/** What stands around a line's text: 30 columns of time, ` stdout: `, newline. */
const frameBytes = 30 + ' stdout: '.length + 1

/** One call of `read` on its way. */
class Reader {
  readonly options: LogReadOptions
  readonly startedMs: number
  readonly done: Promise<LogRead>
  lines: string[] = []
  missing: number
  truncated = false
  #bytes = 0
  #resolve!: (read: LogRead) => void

  constructor(options: LogReadOptions, startedMs: number) {
    this.options = options
    this.startedMs = startedMs
    this.missing = options.sentinels
    this.done = new Promise(resolve => (this.#resolve = resolve))
  }

  get dropping(): boolean {
    return this.truncated || this.options.bytesMax === 0
  }

  /** Keeps a line while it fits; the first that does not ends it for all that follow. */
  take(line: string): void {
    if (this.dropping) return
    this.#bytes += Buffer.byteLength(line) + 1
    if (this.#bytes > this.options.bytesMax) this.truncated = true
    else this.lines.push(line)
  }

  /** Lines were lost before they could be offered. */
  miss(): void {
    this.truncated ||= this.options.bytesMax > 0
  }

  settle(complete: boolean): void {
    this.#resolve({ lines: this.lines, complete, truncated: this.truncated })
  }
}

/**
 * Turns a container's output into the lines of its runs (platform.md §12). It always takes what comes; what nobody reads
 * yet is kept up to a bound. `bytesMax` counts the formatted line in UTF-8 with its newline, so that it also bounds the
 * record: many short lines are as dear as few long ones.
 *
 *   stdout -> splitter -\
 *                        -> format -> reader, or queue until the next read
 *   stderr -> splitter -/
 */
export class ContainerLog implements LogStream {
  readonly #clock: Clock
  readonly #splitters: Record<OutputStream, LineSplitter>
  #stampMs = Number.NaN
  readonly #prefix: Record<OutputStream, string> = { stdout: '', stderr: '' }
  #lastChunkMs = 0
  #ended = false

  #reader: Reader | undefined
  #timer: Timer | undefined

  #queue: string[] = []
  #queuedBytes = 0
  #queuedSentinels = 0

  /** Sentinels that a read waited for in vain. If they come after all, they end that run and no later one. */
  #owed = 0
  /** Of those, how many came since the last read. What never came is not waited for twice. */
  #late = 0

  constructor(clock: Clock) {
    this.#clock = clock
    const splitter = (stream: OutputStream) =>
      new LineSplitter(bounds.container.logLineBytesMax, logSentinel, (bytes, start, end) =>
        this.#onLine(stream, bytes, start, end),
      )
    this.#splitters = { stdout: splitter('stdout'), stderr: splitter('stderr') }
  }

  /** Takes what the container wrote. */
  push(stream: OutputStream, chunk: Buffer): void {
    if (this.#ended) return
    if (this.#reader) this.#lastChunkMs = this.#clock.monotonicMs()
    this.#stamp()
    // While lines are dropped, a chunk without sentinel needs no cutting: a flood must cost little.
    if (this.#dropping && !chunk.includes(sentinelBytes)) this.#splitters[stream].skim(chunk)
    else this.#splitters[stream].push(chunk)
  }

  /** Nothing more will come: the container is gone. */
  end(): void {
    if (this.#ended) return
    this.#flush()
    this.#ended = true
    if (this.#reader) this.#settle(this.#reader, this.#reader.options.sentinels === 0)
  }

  read(options: LogReadOptions): Promise<LogRead> {
    if (this.#reader) return this.#reader.done.then(() => this.read(options))
    const reader = new Reader(options, this.#clock.monotonicMs())
    this.#reader = reader
    if (this.#queue.length > 0) this.#drainQueue(reader)
    if (this.#reader !== reader) return reader.done
    if (this.#ended) this.#settle(reader, options.sentinels === 0)
    else this.#watch(reader, quietMs(options))
    return reader.done
  }

  /** Lines and sentinels that wait for a read. */
  get queued(): number {
    return this.#queue.length
  }

  get #dropping(): boolean {
    return this.#reader ? this.#reader.dropping : this.#queuedBytes >= bounds.container.logBufferBytesMax
  }

  #onLine(stream: OutputStream, bytes: Buffer, start: number, end: number): void {
    if (isSentinel(bytes, start, end)) return this.#onSentinel(stream)
    if (this.#dropping) {
      if (bytes.subarray(start, end).includes(sentinelBytes)) return this.#onSentinel(stream)
      return this.#lose()
    }
    const text = bytes.toString('utf8', start, end)
    if (text.includes(logSentinel)) return this.#onSentinel(stream)
    const line = this.#prefix[stream] + text
    if (this.#reader) this.#reader.take(line)
    else this.#enqueue(line, frameBytes + end - start)
  }

  #onSentinel(stream: OutputStream): void {
    if (this.#owed > 0) return this.#onLateSentinel(stream)
    if (this.#reader) this.#countSentinel(this.#reader)
    else if (this.#queuedSentinels < bounds.container.logSentinelsMax) {
      this.#queuedSentinels++
      this.#enqueue(sentinelMark, frameBytes)
    }
  }

  /** Ends a run whose read gave up. What its stream brought since then is that run's, and is dropped with it. */
  #onLateSentinel(stream: OutputStream): void {
    this.#owed--
    this.#late++
    const isOther = (line: string) => line === sentinelMark || line === lossMark || !line.startsWith(stream, 31)
    if (this.#reader) {
      this.#reader.lines = this.#reader.lines.filter(isOther)
    } else {
      this.#setQueue(this.#queue.filter(isOther))
    }
  }

  #countSentinel(reader: Reader): void {
    // A read without sentinels takes what there is; those of a failed run are removed like all.
    if (reader.options.sentinels > 0 && --reader.missing === 0) this.#settle(reader, true)
  }

  #enqueue(entry: string, bytes: number): void {
    this.#queuedBytes += bytes
    this.#queue.push(entry)
  }

  #lose(): void {
    if (this.#reader) return
    if (this.#queue.at(-1) !== lossMark) this.#queue.push(lossMark)
  }

  #drainQueue(reader: Reader): void {
    let taken = 0
    for (const entry of this.#queue) {
      taken++
      if (entry === sentinelMark) this.#countSentinel(reader)
      else if (entry === lossMark) reader.miss()
      else reader.take(entry)
      if (this.#reader !== reader) break
    }
    this.#setQueue(this.#queue.slice(taken))
  }

  #setQueue(entries: string[]): void {
    this.#queue = entries
    this.#queuedBytes = 0
    this.#queuedSentinels = 0
    for (const entry of entries) {
      this.#queuedBytes += entry === sentinelMark ? frameBytes : Buffer.byteLength(entry) + 1
      if (entry === sentinelMark) this.#queuedSentinels++
    }
  }

  /** Ends the read once nothing came for its idle time or its total time is over. */
  #watch(reader: Reader, delayMs: number, due = false): void {
    this.#timer = this.#clock.setTimer(delayMs, () => {
      const now = this.#clock.monotonicMs()
      const left = Math.min(
        Math.max(this.#lastChunkMs, reader.startedMs) + quietMs(reader.options) - now,
        reader.startedMs + reader.options.totalMs - now,
      )
      if (left > 0) return this.#watch(reader, Math.ceil(left))
      // After a busy spell the timer may be called before output that lies ready: look once more.
      if (!due) return this.#watch(reader, 1, true)
      this.#flush()
      if (this.#reader === reader) this.#settle(reader, reader.options.sentinels === 0)
    })
  }

  #settle(reader: Reader, complete: boolean): void {
    this.#reader = undefined
    this.#timer?.cancel()
    this.#timer = undefined
    this.#owed = complete || this.#late > 0 ? 0 : reader.missing
    this.#late = 0
    reader.settle(complete)
  }

  #flush(): void {
    this.#stamp()
    this.#splitters.stdout.flush()
    this.#splitters.stderr.flush()
  }

  #stamp(): void {
    const now = this.#clock.nowMs()
    if (now === this.#stampMs) return
    this.#stampMs = now
    const time = `${new Date(now).toISOString().slice(0, 23)}000000Z`
    this.#prefix.stdout = `${time} stdout: `
    this.#prefix.stderr = `${time} stderr: `
  }
}

/** How long nothing may come before a read gives up. */
function quietMs({ sentinels, idleMs, totalMs }: LogReadOptions): number {
  return Math.min(sentinels === 0 ? bounds.container.logSettleMs : idleMs, idleMs, totalMs)
}

/** The usual form, a line of its own. */
function isSentinel(bytes: Buffer, start: number, end: number): boolean {
  return end - start === logSentinel.length && bytes.toString('latin1', start, end) === logSentinel
}
