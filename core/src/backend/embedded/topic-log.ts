import { bounds, isSluiceError, SluiceError } from '../../model/index.ts'
import type { Clock, Logger, Outgoing, TopicOptions } from '../../spi/index.ts'
import type { Writer } from './batch.ts'
import type { Database } from './database.ts'
import type { Document } from './envelope.ts'
import { ascending, endOf, keyOf, textOf } from './keys.ts'
import { decodeMessage, encodeMessage, type Message } from './message.ts'

/** What is kept of a topic beside its messages. Everything below `base` is gone, except `kept`. */
type StoredTopic = { options: TopicOptions; base: number; kept: number[] }

const quarantine = 'quarantine'

/** The messages of one topic, keyed by a sequence number without gaps. */
export class TopicLog {
  readonly name: string
  readonly options: TopicOptions
  /** The first message that has not been pruned; a few older ones may be kept. */
  base: number
  /** One more than the last durable message. */
  tail: number
  /** One more than the last message that was given a number. */
  end: number
  /** So far: messages deleted because everybody was done with them or they were too old, and damaged ones set aside. */
  readonly counts = { pruned: 0, quarantined: 0 }
  /** Hears of messages as they become durable, in order. */
  onCommitted: (messages: readonly Message[]) => void = () => undefined
  readonly #database: Database
  readonly #clock: Clock
  readonly #log: Logger
  readonly #prefix: string
  readonly #key: string
  /** Below `base`, still there: somebody works on them. */
  readonly #kept: Set<number>

  constructor(name: string, stored: StoredTopic, end: number, database: Database, clock: Clock, log: Logger) {
    this.name = name
    this.options = stored.options
    this.base = stored.base
    this.#kept = new Set(stored.kept)
    this.tail = end
    this.end = end
    this.#database = database
    this.#clock = clock
    this.#log = log
    this.#key = topicKey(name)
    this.#prefix = logPrefix(name)
  }

  /** Of the messages that this process publishes. */
  get epoch(): number {
    return this.#database.commits.epoch
  }

  /** Resolves when all messages are durable; they become so together. Rejects with SLUICE_TOO_LARGE. */
  publish(outgoing: readonly Outgoing[]): Promise<void> {
    const { epoch } = this.#database.commits
    const publishedAtMs = this.#clock.nowMs()
    const texts: string[] = []
    for (const message of outgoing) {
      if (message.body.byteLength > this.options.messageBytesMax) return Promise.reject(this.#tooLarge(message))
      texts.push(encodeMessage(message, publishedAtMs))
    }
    const messages: Message[] = []
    const fill = (writer: Writer) => {
      for (const [at, { key, headers, body }] of outgoing.entries()) {
        const sequence = this.end++
        writer.put(this.#keyOf(sequence), texts[at] ?? '')
        messages.push({ sequence, epoch, key, headers: headers ?? {}, body, publishedAtMs })
      }
    }
    return this.#database.commits.write(fill, () => {
      this.tail = (messages.at(-1)?.sequence ?? this.tail - 1) + 1
      this.onCommitted(messages)
    })
  }

  /** Durable messages from `from` on, at most `limit` and about `bytesMax`. `end` is where the next read begins. */
  async read(from: number, limit: number, bytesMax: number): Promise<{ messages: Message[]; end: number }> {
    const { tail } = this
    // Acknowledged and not written: what is not found would be passed over for good.
    if (this.#database.commits.sabotaged) await this.#database.commits.settled()
    const messages: Message[] = []
    let bytes = 0
    const range = { gte: this.#keyOf(from), lt: this.#keyOf(tail), limit, highWaterMarkBytes: bytesMax }
    let seen = 0
    for await (const [key, text] of this.#database.raw(range)) {
      const sequence = this.#sequenceOf(key)
      const message = this.#decode(key, sequence, text)
      if (message) messages.push(message)
      seen++
      bytes += text.length
      if (bytes >= bytesMax || seen >= limit) return { messages, end: sequence + 1 }
    }
    return { messages, end: Math.max(tail, from) }
  }

  /** These messages, and the durable ones from `from` on, as they lie there now. */
  snapshot(open: readonly number[], from: number): AsyncGenerator<Message> {
    // The database keeps its state for an iterator from when it was made, so it is made now.
    const range = {
      gte: this.#keyOf(from),
      lt: this.#keyOf(this.tail),
      highWaterMarkBytes: bounds.bus.prefetchBytesMax / 2,
    }
    return this.#messagesOf(open, this.#database.raw(range))
  }

  async *#messagesOf(open: readonly number[], texts: AsyncIterable<[string, string]>): AsyncGenerator<Message> {
    for (const sequence of open) yield* await this.readEach([sequence])
    for await (const [key, text] of texts) {
      const message = this.#decode(key, this.#sequenceOf(key), text)
      if (message) yield message
    }
  }

  /** The messages with these numbers that are there and sound. */
  async readEach(sequences: readonly number[]): Promise<Message[]> {
    const found = await this.#database.texts(sequences.map(sequence => this.#keyOf(sequence)))
    return found.flatMap((text, at) => {
      const sequence = sequences[at] ?? 0
      const message = text === undefined ? undefined : this.#decode(this.#keyOf(sequence), sequence, text)
      return message ? [message] : []
    })
  }

  /**
   * Deletes what is below `target` except `open`, in small steps; `written` is to have written the positions that
   * allow it. `open` must contain every message below `target` that is still needed.
   */
  async prune(target: number, open: ReadonlySet<number>, written: (writer: Writer) => void): Promise<void> {
    const { base } = this
    const done = [...this.#kept].filter(sequence => !open.has(sequence))
    if (target <= base && done.length === 0) return
    const holes = [...open].filter(sequence => sequence >= base && sequence < target).sort((a, b) => a - b)
    for (const sequence of done) this.#kept.delete(sequence)
    for (const sequence of holes) this.#kept.add(sequence)
    this.base = Math.max(base, target)
    // What is deleted must not be looked for after a restart, so the positions come first.
    await this.#database.commits.write(writer => {
      written(writer)
      for (const sequence of done) writer.del(this.#keyOf(sequence))
      writer.put(this.#key, this.#text())
    })
    this.counts.pruned += this.base - base - holes.length + done.length
    let from = base
    for (const hole of [...holes, this.base]) {
      await this.#clear(from, hole)
      from = hole + 1
    }
  }

  /** The first message that is not older than `beforeMs`. */
  async firstSince(beforeMs: number): Promise<number> {
    let from = this.base
    for (let limit = 1; from < this.tail; limit = bounds.bus.pruneBatch) {
      const { messages, end } = await this.read(from, limit, bounds.bus.prefetchBytesMax)
      const young = messages.find(message => message.publishedAtMs >= beforeMs)
      if (young) return young.sequence
      from = end
    }
    return from
  }

  async #clear(from: number, to: number): Promise<void> {
    for (let at = from; at < to; at += bounds.bus.pruneBatch) {
      const end = Math.min(to, at + bounds.bus.pruneBatch)
      await this.#database.clear({ gte: this.#keyOf(at), lt: this.#keyOf(end) })
    }
  }

  /** A damaged message is set aside, whole, and the ones behind it go on (reliability.md §6.2.5). */
  #decode(key: string, sequence: number, text: string): Message | undefined {
    try {
      return decodeMessage(sequence, this.#database.check(key, text))
    } catch (error) {
      if (!isSluiceError(error, 'SLUICE_STORE_CORRUPT')) throw error
      this.#log.error({ topic: this.name, position: String(sequence) }, 'damaged message set aside')
      this.counts.quarantined++
      this.#database.commits.ride(writer => writer.keep(keyOf(quarantine, key), text))
      return undefined
    }
  }

  #text(): string {
    return JSON.stringify({ options: this.options, base: this.base, kept: [...this.#kept] } satisfies StoredTopic)
  }

  #keyOf(sequence: number): string {
    return this.#prefix + ascending(sequence)
  }

  #sequenceOf(key: string): number {
    return Number(key.slice(this.#prefix.length))
  }

  #tooLarge({ body }: Outgoing): SluiceError {
    const { messageBytesMax } = this.options
    const detail = `${body.byteLength} > ${messageBytesMax} bytes`
    return new SluiceError('SLUICE_TOO_LARGE', `The message is too large for topic ${this.name}: ${detail}.`)
  }
}

/** Opens the topic, creating it durably with `options` if it is missing. */
export async function openTopicLog(
  name: string,
  options: TopicOptions,
  database: Database,
  clock: Clock,
  log: Logger,
): Promise<TopicLog> {
  const key = topicKey(name)
  const document = await soundOrNothing(database.get(key))
  const stored = document
    ? (JSON.parse(document.body) as StoredTopic)
    : ({ options, base: 0, kept: [] } satisfies StoredTopic)
  if (!document) await database.commits.write(writer => writer.put(key, JSON.stringify(stored)))
  const prefix = logPrefix(name)
  let end = stored.base
  for await (const [last] of database.keySteps({
    gte: prefix + ascending(end),
    lt: endOf(prefix),
    reverse: true,
    limit: 1,
  })) {
    end = Number((last ?? '').slice(prefix.length)) + 1
  }
  return new TopicLog(name, stored, end, database, clock, log)
}

/** What lies there, or nothing when it is damaged: then its owner begins anew, delivering again rather than losing. */
export async function soundOrNothing(found: Promise<Document | undefined>): Promise<Document | undefined> {
  try {
    return await found
  } catch (error) {
    if (isSluiceError(error, 'SLUICE_STORE_CORRUPT')) return undefined
    throw error
  }
}

/** Names of all topics that were ever opened. */
export async function topicNames(database: Database): Promise<string[]> {
  const prefix = topicKey('')
  const names: string[] = []
  for await (const keys of database.keySteps({ gte: prefix, lt: endOf(prefix) })) {
    for (const key of keys) names.push(textOf(key.slice(prefix.length)))
  }
  return names
}

function topicKey(name: string): string {
  return keyOf('bus', 'topic', name)
}

function logPrefix(name: string): string {
  return keyOf('bus', 'log', name, '')
}
