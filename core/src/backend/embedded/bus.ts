import { bounds, isSluiceError, SluiceError } from '../../model/index.ts'
import type {
  Clock,
  Incoming,
  Logger,
  MessageBus,
  Outgoing,
  Random,
  SubscribeOptions,
  Subscription,
  TopicOptions,
} from '../../spi/index.ts'
import type { Writer } from './batch.ts'
import { ConsumerGroup, type Position } from './consumer-group.ts'
import type { Database } from './database.ts'
import { endOf, keyOf, textOf } from './keys.ts'
import type { Message } from './message.ts'
import { openTopicLog, soundOrNothing, topicNames, type TopicLog } from './topic-log.ts'

type Topic = {
  log: TopicLog
  groups: Map<string, ConsumerGroup>
  /** How far everybody was at the last pruning: what is older and still open stays open for a while. */
  lastNext: number
}

export type EmbeddedBus = MessageBus & {
  /** Deletes messages that every group has finished, and those too old in topics without a group. */
  prune(): Promise<void>
  /** So far, by topic. */
  counts(): ReadonlyMap<string, { readonly pruned: number; readonly quarantined: number }>
}

export function createBus(database: Database, clock: Clock, random: Random, logger: Logger): EmbeddedBus {
  const { commits } = database
  const opened = new Map<string, Topic>()
  const opening = new Map<string, Promise<Topic>>()
  let closed = false

  const usual: TopicOptions = {
    partitions: bounds.bus.partitions,
    retentionMs: bounds.bus.retentionMs,
    messageBytesMax: bounds.bus.messageBytesMax,
  }

  function topicOf(name: string, options = usual): Promise<Topic> {
    const known = opening.get(name)
    if (known) return known
    const topic = open(name, options)
    opening.set(name, topic)
    topic.then(
      it => opened.set(name, it),
      () => opening.delete(name),
    )
    return topic
  }

  async function open(name: string, options: TopicOptions): Promise<Topic> {
    const log = await openTopicLog(name, options, database, clock, logger)
    const groups = new Map<string, ConsumerGroup>()
    const prefix = positionKey(name, '')
    for await (const keys of database.keySteps({ gte: prefix, lt: endOf(prefix) })) {
      for (const key of keys) {
        const document = await soundOrNothing(database.get(key))
        const position = document ? (JSON.parse(document.body) as Position) : { next: log.base, open: [] }
        const group = textOf(key.slice(prefix.length))
        groups.set(group, createGroup(log, group, position))
        log.tail = log.end = Math.max(log.end, position.next)
      }
    }
    log.onCommitted = messages => {
      for (const group of groups.values()) group.offer(messages)
    }
    return { log, groups, lastNext: log.base }
  }

  function createGroup(log: TopicLog, name: string, position: Position): ConsumerGroup {
    const group = new ConsumerGroup(name, position, log, clock, random, logger)
    const key = positionKey(log.name, name)
    let planned = false
    group.onProgress = () => {
      if (planned) return
      planned = true
      const ride = () =>
        commits.ride(writer => {
          planned = false
          writer.put(key, JSON.stringify(group.position))
        })
      // A long list of open messages is a long text.
      const ms = Math.max(bounds.bus.positionWriteMs, group.open / bounds.bus.positionOpenPerMs)
      clock.setTimer(ms, ride, { unref: true })
    }
    return group
  }

  async function publish(name: string, messages: readonly Outgoing[]): Promise<void> {
    refuseIfClosed()
    try {
      const topic = opened.get(name) ?? (await topicOf(name))
      await topic.log.publish(messages)
    } catch (error) {
      if (!isSluiceError(error, 'SLUICE_STORE_UNAVAILABLE')) throw error
      throw new SluiceError('SLUICE_BUS_UNAVAILABLE', 'The disk did not confirm the messages.', { cause: error })
    }
  }

  async function subscribe(
    name: string,
    options: SubscribeOptions,
    handle: (message: Incoming) => Promise<void>,
  ): Promise<Subscription> {
    refuseIfClosed()
    const { log, groups } = await topicOf(name)
    let group = groups.get(options.group)
    if (!group) {
      const position: Position = { next: options.from === 'earliest' ? log.base : log.end, open: [] }
      group = createGroup(log, options.group, position)
      groups.set(options.group, group)
      // From here on the group's messages are kept, so it must not be forgotten.
      await commits.write(writer => writer.put(positionKey(name, options.group), JSON.stringify(position)))
    }
    return group.join(options, handle)
  }

  function refuseIfClosed(): void {
    if (closed) throw new SluiceError('SLUICE_CLOSED', 'The message bus is closed.')
  }

  function writePositions({ log, groups }: Topic, writer: Writer): void {
    for (const group of groups.values()) {
      writer.put(positionKey(log.name, group.name), JSON.stringify(group.position))
    }
  }

  async function* outgoing(messages: AsyncIterable<Message>): AsyncGenerator<Outgoing> {
    for await (const { body, headers, key } of messages) {
      if (closed) return
      yield { ...(key === undefined ? {} : { key }), headers, body }
    }
  }

  async function prune(topic: Topic): Promise<void> {
    const { log, groups } = topic
    if (groups.size === 0) {
      const target = await log.firstSince(clock.nowMs() - log.options.retentionMs)
      if (target > log.base) await log.prune(target, new Set(), () => undefined)
      return
    }
    const open = new Set<number>()
    let next = Infinity
    for (const group of groups.values()) {
      const position = group.position
      next = Math.min(next, position.next)
      for (const sequence of position.open) open.add(sequence)
    }
    const target = Math.min(topic.lastNext, next)
    topic.lastNext = next
    await log.prune(target, open, writer => writePositions(topic, writer))
  }

  return {
    async ensureTopic(name, options) {
      refuseIfClosed()
      await topicOf(name, options)
    },
    publish,
    subscribe,
    async waiting(name, groupName) {
      refuseIfClosed()
      const { log, groups } = await topicOf(name)
      const position = groups.get(groupName)?.position ?? { next: log.base, open: [] }
      return outgoing(log.snapshot(position.open, position.next))
    },
    async prune() {
      for (const name of await topicNames(database)) {
        if (closed) return
        await prune(await topicOf(name))
      }
    },
    counts: () => new Map([...opened].map(([name, { log }]) => [name, log.counts])),
    async close() {
      if (closed) return
      closed = true
      const topics = await Promise.all(opening.values())
      await Promise.all(topics.flatMap(({ groups }) => [...groups.values()].map(group => group.close())))
      // Without them more is delivered again, nothing is lost; that the disk failed has been told already.
      const written = commits.write(writer => {
        for (const topic of topics) writePositions(topic, writer)
      })
      await written.catch(() => undefined)
    },
  }
}

function positionKey(topic: string, group: string): string {
  return keyOf('bus', 'group', topic, group)
}
