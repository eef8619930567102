import { bounds } from '../../model/index.ts'
import type { Clock, Incoming, Logger, Random, SubscribeOptions, Subscription } from '../../spi/index.ts'
import { FairLanes } from './fair-lanes.ts'
import type { Message } from './message.ts'
import type { TopicLog } from './topic-log.ts'

/** How far a group is: everything below `next` is done, except `open`. */
export type Position = { next: number; open: number[] }

type Handle = (message: Incoming) => Promise<void>

/** A message that was taken from the log and is not done. */
type Entry = {
  readonly sequence: number
  /** What must not run at the same time, or shares places with others; nothing when the order does not matter. */
  readonly lane: string | undefined
  /** How often it was handed out; one may come from before this process. */
  attempts: number
  /** Of its body. */
  readonly bytes: number
  /** Absent when memory is better spent: it is read again when its turn comes. */
  message: Message | undefined
}

type Member = {
  readonly handle: Handle
  readonly concurrency: number
  readonly bytesMax: number
  readonly abort: AbortController
  running: number
  /** Of what its handlers are at work on. */
  bytes: number
  paused: boolean
  closed: boolean
  drained: () => void
}

const topicLane = 'topic'

/**
 * One group of a topic: takes messages in order, from memory while it keeps up and from disk when it has fallen behind,
 * and hands them to its members.
 *
 *     log -> buffer -> due -> a member's handler -> done
 *                  \-> parked behind another of its key, or until it is its key's turn
 *                                  failed -> delayed -> due
 */
export class ConsumerGroup {
  readonly name: string
  /** Called when the position has changed. */
  onProgress: () => void = () => undefined
  readonly #log: TopicLog
  readonly #clock: Clock
  readonly #random: Random
  readonly #logger: Logger
  #order: SubscribeOptions['order'] = 'none'
  #members: Member[] = []
  /** Everything from here on has not been looked at. */
  #next: number
  readonly #open = new Map<number, Entry>()
  /** Open when the group went to sleep; they are read before anything new. */
  #left: number[]
  #buffer: Message[] = []
  #bufferAt = 0
  #bufferBytes = 0
  /** Where the buffer ends in the log. */
  #bufferEnd: number
  #reading = false
  /** Lanes with a message at work, and who waits behind it. */
  readonly #lanes = new Map<string, Entry[]>()
  /** Order `fair`: everything that has been looked at and is not at work. */
  readonly #fair = new FairLanes<Entry>()
  /** Bytes of bodies that parked entries of it keep in memory. */
  #parkedBytes = 0
  #due: Entry[] = []
  /** Parked and delayed entries. */
  #waiting = 0
  readonly #timers = new Set<{ cancel(): void }>()

  constructor(name: string, position: Position, log: TopicLog, clock: Clock, random: Random, logger: Logger) {
    this.name = name
    this.#next = position.next
    this.#bufferEnd = position.next
    this.#left = position.open
    for (const sequence of position.open) this.#open.set(sequence, entryOf(sequence, undefined, 1))
    this.#log = log
    this.#clock = clock
    this.#random = random
    this.#logger = logger
  }

  /** Messages published and not yet done. */
  get depth(): number {
    return Math.max(0, this.#log.tail - this.#next) + this.#open.size
  }

  /** Messages that were looked at and are not done. */
  get open(): number {
    return this.#open.size
  }

  get position(): Position {
    return { next: this.#next, open: [...this.#open.keys()].sort((a, b) => a - b) }
  }

  join({ concurrency, bytesMax = Infinity, order }: SubscribeOptions, handle: Handle): Subscription {
    if (this.#members.length === 0) this.#order = order
    const abort = new AbortController()
    const member: Member = {
      handle,
      concurrency,
      bytesMax,
      abort,
      running: 0,
      bytes: 0,
      paused: false,
      closed: false,
      drained: () => undefined,
    }
    this.#members.push(member)
    this.#pump()
    return {
      pause: () => void (member.paused = true),
      resume: () => {
        member.paused = false
        this.#pump()
      },
      depth: () => Promise.resolve(this.depth),
      close: () => this.#leave(member),
    }
  }

  /** Ends the membership of all. */
  async close(): Promise<void> {
    await Promise.all(this.#members.map(member => this.#leave(member)))
  }

  /** Messages that have just become durable: kept in memory if the group is that far and has room. */
  offer(messages: readonly Message[]): void {
    if (this.#members.length === 0) return
    if (!this.#reading && this.#left.length === 0 && messages[0]?.sequence === this.#bufferEnd && this.#hasRoom()) {
      for (const message of messages) this.#keep(message)
      this.#bufferEnd = this.#log.tail
    }
    this.#pump()
  }

  async #leave(member: Member): Promise<void> {
    if (!member.closed) {
      member.closed = true
      member.abort.abort()
    }
    if (member.running > 0) {
      await new Promise<void>(resolve => {
        const { drained } = member
        member.drained = () => {
          drained()
          resolve()
        }
      })
    }
    if (!this.#members.includes(member)) return
    this.#members = this.#members.filter(other => other !== member)
    if (this.#members.length === 0) this.#sleep()
    else this.#pump()
  }

  /** Nobody listens: forget all but the position. */
  #sleep(): void {
    for (const timer of this.#timers) timer.cancel()
    this.#timers.clear()
    this.#lanes.clear()
    this.#fair.clear()
    this.#parkedBytes = 0
    this.#due = []
    this.#waiting = 0
    this.#dropBuffer()
    this.#bufferEnd = this.#next
    this.#left = [...this.#open.keys()].sort((a, b) => a - b)
  }

  #pump(): void {
    for (let member = this.#freeMember(); member; member = this.#freeMember()) {
      const entry = this.#due.shift() ?? (this.#order === 'fair' ? this.#takeInTurn() : this.#take())
      if (!entry) break
      void this.#run(member, entry)
    }
    if (this.#shouldRead()) void this.#fill()
  }

  /** The one with the most places left, so that work spreads. */
  #freeMember(): Member | undefined {
    let best: Member | undefined
    let bestFree = 0
    for (const member of this.#members) {
      const taken = member.paused || member.closed || member.bytes >= member.bytesMax
      const free = taken ? 0 : member.concurrency - member.running
      if (free > bestFree) {
        best = member
        bestFree = free
      }
    }
    return best
  }

  /** The next message in order that may run now; those that must wait for another are parked on the way. */
  #take(): Entry | undefined {
    while (this.#waiting < bounds.bus.outOfOrderMax) {
      const message = this.#buffer[this.#bufferAt]
      if (!message || (this.#order === 'topic' && this.#lanes.has(topicLane))) break
      this.#drop()
      const entry = this.#opened(message)
      if (entry.lane === undefined) return entry
      const behind = this.#lanes.get(entry.lane)
      if (!behind) {
        this.#lanes.set(entry.lane, [])
        return entry
      }
      if (this.#waiting >= bounds.bus.prefetchMax) entry.message = undefined
      behind.push(entry)
      this.#waiting++
    }
    return undefined
  }

  /** Looks at all that it may, so that nobody is hidden behind many messages of another, and takes of whom it is the turn. */
  #takeInTurn(): Entry | undefined {
    while (this.#waiting < bounds.bus.lookAheadMax) {
      const message = this.#buffer[this.#bufferAt]
      if (!message) break
      this.#drop()
      const entry = this.#opened(message)
      const bytes = message.body.byteLength
      if (this.#waiting < bounds.bus.prefetchMax && this.#parkedBytes + bytes <= bounds.bus.prefetchBytesMax)
        this.#parkedBytes += bytes
      else entry.message = undefined
      this.#fair.park(entry.lane ?? '', entry)
      this.#waiting++
    }
    const places = this.#members.reduce((sum, { concurrency }) => sum + concurrency, 0)
    const entry = this.#fair.next(places)
    if (!entry) return undefined
    this.#waiting--
    this.#parkedBytes -= entry.message?.body.byteLength ?? 0
    return entry
  }

  #opened(message: Message): Entry {
    const { sequence } = message
    const lane = laneOf(this.#order, message)
    const earlier = this.#open.get(sequence)
    const entry = entryOf(sequence, lane, earlier?.attempts ?? 0, message)
    this.#open.set(sequence, entry)
    if (sequence >= this.#next) this.#next = sequence + 1
    return entry
  }

  async #run(member: Member, entry: Entry): Promise<void> {
    member.running++
    member.bytes += entry.bytes
    const inTurn = this.#order === 'fair'
    if (inTurn) this.#fair.began(entry.lane ?? '')
    let done = true
    try {
      const message = entry.message ?? (await this.#log.readEach([entry.sequence]))[0]
      // What cannot be read has been set aside; nothing is left to do.
      if (message) {
        entry.message = undefined
        entry.attempts++
        await member.handle(incomingOf(message, entry.attempts, this.#log.epoch, member.abort.signal))
      }
    } catch (error) {
      done = false
      this.#logger.debug({ err: error, topic: this.#log.name, group: this.name }, 'handler failed; message is delayed')
    }
    member.running--
    member.bytes -= entry.bytes
    if (inTurn) this.#fair.ended(entry.lane ?? '')
    if (done) this.#finish(entry)
    else if (member.closed) this.#due.push(entry)
    else this.#delay(entry)
    if (member.closed && member.running === 0) member.drained()
    this.#pump()
  }

  #finish(entry: Entry): void {
    this.#open.delete(entry.sequence)
    if (entry.lane !== undefined && this.#order !== 'fair') {
      const next = this.#lanes.get(entry.lane)?.shift()
      if (next) {
        this.#waiting--
        this.#due.push(next)
      } else this.#lanes.delete(entry.lane)
    }
    this.onProgress()
  }

  /** Tries again later; others of its key wait, the rest goes on. */
  #delay(entry: Entry): void {
    this.#waiting++
    const ms = Math.min(bounds.bus.redeliveryDelayMsMax, bounds.bus.redeliveryDelayMs * 2 ** (entry.attempts - 1))
    const timer = this.#clock.setTimer(
      ms * (0.75 + 0.25 * this.#random.fraction()),
      () => {
        this.#timers.delete(timer)
        this.#waiting--
        this.#due.push(entry)
        this.#pump()
      },
      { unref: true },
    )
    this.#timers.add(timer)
  }

  /** Memory holds little and the log has more. */
  #shouldRead(): boolean {
    if (this.#reading || this.#members.length === 0) return false
    if (this.#left.length === 0 && this.#bufferEnd >= this.#log.tail) return false
    const held = this.#buffer.length - this.#bufferAt
    return held <= bounds.bus.prefetchMax / 2 && this.#bufferBytes <= bounds.bus.prefetchBytesMax / 2
  }

  async #fill(): Promise<void> {
    this.#reading = true
    try {
      await this.#readOn(bounds.bus.prefetchMax - (this.#buffer.length - this.#bufferAt))
    } catch (error) {
      this.#logger.error({ err: error, topic: this.#log.name, group: this.name }, 'messages could not be read')
      await this.#clock.sleep(bounds.bus.redeliveryDelayMs)
    } finally {
      this.#reading = false
    }
    this.#pump()
  }

  async #readOn(limit: number): Promise<void> {
    const left = this.#left.slice(0, limit)
    const from = this.#bufferEnd
    const found =
      left.length > 0
        ? { messages: await this.#log.readEach(left), end: from }
        : await this.#log.read(from, limit, bounds.bus.prefetchBytesMax / 2)
    // Everybody may have left meanwhile.
    if (this.#members.length === 0) return
    this.#left.splice(0, left.length)
    this.#bufferEnd = found.end
    for (const message of found.messages) this.#keep(message)
    const there = new Set(found.messages.map(message => message.sequence))
    for (const sequence of left) if (!there.has(sequence)) this.#open.delete(sequence)
    if (this.#buffer.length === this.#bufferAt) this.#next = Math.max(this.#next, this.#bufferEnd)
  }

  #hasRoom(): boolean {
    return (
      this.#buffer.length - this.#bufferAt < bounds.bus.prefetchMax && this.#bufferBytes < bounds.bus.prefetchBytesMax
    )
  }

  #keep(message: Message): void {
    this.#buffer.push(message)
    this.#bufferBytes += message.body.byteLength
  }

  #drop(): void {
    this.#bufferBytes -= this.#buffer[this.#bufferAt]?.body.byteLength ?? 0
    this.#bufferAt++
    if (this.#bufferAt === this.#buffer.length) this.#dropBuffer()
    else if (this.#bufferAt >= bounds.bus.prefetchMax) {
      this.#buffer = this.#buffer.slice(this.#bufferAt)
      this.#bufferAt = 0
    }
  }

  #dropBuffer(): void {
    this.#buffer = []
    this.#bufferAt = 0
    this.#bufferBytes = 0
  }
}

function entryOf(sequence: number, lane: string | undefined, attempts: number, message?: Message): Entry {
  return { sequence, lane, attempts, message, bytes: message?.body.byteLength ?? 0 }
}

function laneOf(order: SubscribeOptions['order'], { key }: Message): string | undefined {
  if (order === 'none') return undefined
  return order === 'topic' ? topicLane : order === 'fair' ? (key ?? '') : key
}

function incomingOf(message: Message, attempts: number, epoch: number, signal: AbortSignal): Incoming {
  return {
    key: message.key,
    headers: message.headers,
    body: message.body,
    publishedAtMs: message.publishedAtMs,
    position: String(message.sequence),
    redelivered: attempts > 1 || message.epoch !== epoch,
    signal,
  }
}
