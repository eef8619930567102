import { bounds } from '@sluice/core/model'
import type { Clock, KeyRing, Random, StateStore } from '@sluice/core/spi'
import type { FeedEvent } from './feed.ts'
import { orderedUlids } from './ulid.ts'

/** Why an event ended here (feeds.md L4). */
export type DeadLetterCause = {
  readonly reason: string
  readonly status: number
  readonly attempts: number
  /** First 2 KiB of the last answer. */
  readonly answer: string
}

export type DeadLetter = DeadLetterCause & { readonly id: string; readonly deadAtMs: number; readonly event: FeedEvent }

type Stored = Omit<DeadLetterCause, 'answer'> & {
  readonly deadAtMs: number
  readonly bytes: number
  readonly sealed: string
}

export interface DeadLetters {
  /** Resolves once the event is durable; makes room first, oldest out. */
  add(subscription: string, event: FeedEvent, cause: DeadLetterCause): Promise<void>
  list(subscription: string, limit: number): Promise<DeadLetter[]>
  /** Forgets all of a subscription that is deleted. */
  drop(subscription: string): Promise<void>
  /** How many old ones had to make room since the start. */
  readonly evicted: number
}

type Limits = { count: number; bytes: number; ttlMs: number }

/**
 * The built-in store of feeds.md L1: `<provider>/dead/<ns>:<trigger>/<ulid>`, contents encrypted, at most 10,000 events
 * or 100 MiB or 7 days for each subscription.
 */
export function createDeadLetters(options: {
  state: StateStore
  provider: string
  keyRing: KeyRing
  clock: Clock
  random: Random
  limits?: Limits
}): DeadLetters {
  const { state, provider, keyRing, clock } = options
  const nextId = orderedUlids(clock, options.random)
  const limits = options.limits ?? {
    count: bounds.feeds.deadLettersMax,
    bytes: bounds.feeds.deadLetterBytesMax,
    ttlMs: bounds.feeds.deadLetterTtlMs,
  }
  /** What is there, oldest first, read once for each subscription that has any. */
  const books = new Map<string, Promise<Book>>()
  let evicted = 0

  const prefixOf = (subscription: string) => `${provider}/dead/${subscription}/`

  function bookOf(subscription: string): Promise<Book> {
    let book = books.get(subscription)
    if (!book) {
      book = readBook(prefixOf(subscription))
      book.catch(() => books.delete(subscription))
      books.set(subscription, book)
    }
    return book
  }

  async function readBook(prefix: string): Promise<Book> {
    const entries: Line[] = []
    let after: string | undefined
    for (;;) {
      const page = await state.scan({ prefix, after, limit: bounds.feeds.listMax })
      for (const { key, value } of page) {
        const { deadAtMs, bytes } = value as Stored
        entries.push({ key, deadAtMs, bytes })
      }
      after = page.at(-1)?.key
      if (page.length < bounds.feeds.listMax)
        return { entries, bytes: entries.reduce((sum, line) => sum + line.bytes, 0) }
    }
  }

  async function makeRoom(book: Book, bytes: number): Promise<void> {
    const oldest = () => book.entries[0]
    for (let line = oldest(); line; line = oldest()) {
      const full = book.entries.length >= limits.count || book.bytes + bytes > limits.bytes
      if (!full && line.deadAtMs > clock.nowMs() - limits.ttlMs) return
      await state.delete(line.key)
      book.entries.shift()
      book.bytes -= line.bytes
      evicted++
    }
  }

  return {
    async add(subscription, event, cause) {
      const book = await bookOf(subscription)
      const id = nextId()
      const key = prefixOf(subscription) + id
      const { answer, ...facts } = cause
      const sealed = keyRing.encrypt(JSON.stringify({ event, answer }), key)
      const deadAtMs = clock.nowMs()
      await makeRoom(book, sealed.length)
      const stored: Stored = { ...facts, deadAtMs, bytes: sealed.length, sealed }
      await state.put(key, stored)
      book.entries.push({ key, deadAtMs, bytes: sealed.length })
      book.bytes += sealed.length
    },
    async list(subscription, limit) {
      const prefix = prefixOf(subscription)
      const entries = await state.scan({ prefix, limit: Math.min(limit, bounds.feeds.listMax) })
      return entries.map(({ key, value }) => {
        const { sealed, bytes: _bytes, ...facts } = value as Stored
        const opened = JSON.parse(keyRing.decrypt(sealed, key)) as { event: FeedEvent; answer: string }
        return { id: key.slice(prefix.length), ...facts, ...opened }
      })
    },
    async drop(subscription) {
      const book = await bookOf(subscription)
      for (const { key } of book.entries.splice(0)) await state.delete(key)
      books.delete(subscription)
    },
    get evicted() {
      return evicted
    },
  }
}

type Line = { key: string; deadAtMs: number; bytes: number }
type Book = { entries: Line[]; bytes: number }
