import { bounds } from '../../model/index.ts'
import type { Clock, Incoming, Random, SubscribeOptions, Subscription } from '../../spi/index.ts'

export type Message = {
  readonly position: number
  readonly key: string | undefined
  readonly headers: Record<string, string>
  readonly body: Uint8Array
  readonly publishedAtMs: number
}

type Entry = { readonly message: Message; attempts: number; state: 'ready' | 'running' | 'delayed' }

type Member = {
  readonly options: SubscribeOptions
  readonly handle: (message: Incoming) => Promise<void>
  readonly abort: AbortController
  running: Set<Promise<void>>
  /** Of what its handlers are at work on. */
  bytes: number
  paused: boolean
}

/** One group of a topic: what is not done, in order, and who works on it. */
export class Group {
  readonly #clock: Clock
  readonly #random: Random
  #entries: Entry[] = []
  #members: Member[] = []

  constructor(clock: Clock, random: Random) {
    this.#clock = clock
    this.#random = random
  }

  add(messages: readonly Message[]): void {
    for (const message of messages) this.#entries.push({ message, attempts: 0, state: 'ready' })
    this.#pump()
  }

  join(options: SubscribeOptions, handle: Member['handle']): Subscription {
    const member: Member = {
      options,
      handle,
      abort: new AbortController(),
      running: new Set(),
      bytes: 0,
      paused: false,
    }
    this.#members.push(member)
    this.#pump()
    return {
      pause: () => void (member.paused = true),
      resume: () => {
        member.paused = false
        this.#pump()
      },
      depth: async () => this.#entries.length,
      close: () => this.#leave(member),
    }
  }

  waiting(): Message[] {
    return this.#entries.map(({ message }) => message)
  }

  async close(): Promise<void> {
    await Promise.all(this.#members.map(member => this.#leave(member)))
  }

  async #leave(member: Member): Promise<void> {
    this.#members = this.#members.filter(other => other !== member)
    member.abort.abort()
    await Promise.all(member.running)
    this.#pump()
  }

  #pump(): void {
    for (const member of this.#members) {
      const { order, concurrency, bytesMax = Infinity } = member.options
      while (!member.paused && member.running.size < concurrency && member.bytes < bytesMax) {
        const entry = order === 'fair' ? this.#firstInTurn(concurrency) : this.#firstReady(order)
        if (!entry) return
        const { byteLength } = entry.message.body
        member.bytes += byteLength
        const run: Promise<void> = this.#run(member, entry).finally(() => {
          member.running.delete(run)
          member.bytes -= byteLength
          this.#pump()
        })
        member.running.add(run)
      }
    }
  }

  /** Messages of one key, or all, wait for the first of them that is not done. */
  #firstReady(order: SubscribeOptions['order']): Entry | undefined {
    const busy = new Set<string>()
    for (const entry of this.#entries) {
      const lane = order === 'topic' ? 'topic' : order === 'key' ? entry.message.key : undefined
      if (entry.state === 'ready' && (lane === undefined || !busy.has(lane))) return entry
      if (lane !== undefined) busy.add(lane)
    }
    return undefined
  }

  /** Of the key with the fewest at work, as long as it is below its share. */
  #firstInTurn(places: number): Entry | undefined {
    const running = new Map<string, number>()
    for (const { message, state } of this.#entries) {
      const key = message.key ?? ''
      running.set(key, (running.get(key) ?? 0) + (state === 'running' ? 1 : 0))
    }
    const share = Math.max(1, Math.floor(places / (running.size + 1)))
    const atWork = ({ message }: Entry): number => running.get(message.key ?? '') ?? 0
    let best: Entry | undefined
    for (const entry of this.#entries) {
      if (entry.state === 'ready' && atWork(entry) < (best ? atWork(best) : share)) best = entry
    }
    return best
  }

  async #run(member: Member, entry: Entry): Promise<void> {
    const { message } = entry
    entry.state = 'running'
    entry.attempts++
    try {
      await member.handle({
        ...message,
        position: String(message.position),
        redelivered: entry.attempts > 1,
        signal: member.abort.signal,
      })
      this.#entries.splice(this.#entries.indexOf(entry), 1)
    } catch {
      if (member.abort.signal.aborted) entry.state = 'ready'
      else this.#delay(entry)
    }
  }

  #delay(entry: Entry): void {
    entry.state = 'delayed'
    const ms = Math.min(bounds.bus.redeliveryDelayMsMax, bounds.bus.redeliveryDelayMs * 2 ** (entry.attempts - 1))
    const again = () => {
      entry.state = 'ready'
      this.#pump()
    }
    this.#clock.setTimer(ms * (0.75 + 0.25 * this.#random.fraction()), again, { unref: true })
  }
}
