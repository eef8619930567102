/**
 * Carries fires, runs and their outcomes between processes (design.md §4, reliability.md §6.2).
 * Implementations: one database on disk (embedded), Kafka, and memory for tests.
 */
export interface MessageBus {
  /** Creates the topic if it is missing; an existing one is left as it is. */
  ensureTopic(topic: string, options: TopicOptions): Promise<void>
  /** Resolves once the bus, not this process, answers for every message: on stable storage, or acknowledged by all
   *  in-sync replicas. Messages of one key keep their order. Rejects with SLUICE_TOO_LARGE for a message beyond the
   *  topic's bound, with SLUICE_BUS_UNAVAILABLE when the outcome is not known to be durable. */
  publish(topic: string, messages: readonly Outgoing[]): Promise<void>
  /** Members of a group share a topic. A message is done when `handle` resolves; it is delivered again, after a delay
   *  that grows, when `handle` rejects, and at once to the next member when the process dies first. Whoever must not
   *  lose work resolves only after the outcome is durable. */
  subscribe(
    topic: string,
    options: SubscribeOptions,
    handle: (message: Incoming) => Promise<void>,
  ): Promise<Subscription>
  /** What the topic holds that the group has not finished, as it stands when the promise resolves: for counting. Nothing is
   *  delivered by it, and what gets done meanwhile still comes. Ends early when the bus closes. */
  waiting(topic: string, group: string): Promise<AsyncIterable<Outgoing>>
  /** Stops delivery, waits for running handlers, writes positions, lets go of connections. May be called twice. */
  close(): Promise<void>
}

export type TopicOptions = { partitions: number; retentionMs: number; messageBytesMax: number }

export type Outgoing = { key?: string; headers?: Record<string, string>; body: Uint8Array }

export type SubscribeOptions = {
  group: string
  /** Where a group without a position begins; a group that has one goes on from there. */
  from: 'earliest' | 'now'
  /** How many handlers may run at once. */
  concurrency: number
  /** Once the bodies that handlers are at work on have so many bytes together, no further one is handed out. */
  bytesMax?: number
  /** `key`: messages of one key are handled one after the other; `topic`: all are; `none`: any order; `fair`: handlers are
   *  shared out between keys in turn, and one key alone gets at most half of them, so that many messages of one do not
   *  hold up those of another (as far as the group looks ahead). */
  order: 'none' | 'key' | 'topic' | 'fair'
}

export type Incoming = {
  key?: string
  headers: Record<string, string>
  body: Uint8Array
  /** When the bus took the message, epoch milliseconds. */
  publishedAtMs: number
  /** Opaque; names the message within its topic. */
  position: string
  /** True when the message may have been handed out before: the handler must look for an earlier outcome. */
  redelivered: boolean
  /** Aborts when the subscription closes or loses the message to another member. */
  signal: AbortSignal
}

export type Subscription = {
  pause(): void
  resume(): void
  /** Messages published and not yet done, for this group. */
  depth(): Promise<number>
  /** Stops delivery and waits for running handlers. */
  close(): Promise<void>
}
