import { bounds, SluiceError } from '../../model/index.ts'
import type { Clock, MessageBus, Outgoing, Random, TopicOptions } from '../../spi/index.ts'
import { Group, type Message } from './group.ts'

type Topic = { options: TopicOptions; messages: Message[]; groups: Map<string, Group>; published: number }

export function createBus(clock: Clock, random: Random): MessageBus {
  const topics = new Map<string, Topic>()
  let closed = false

  function topicOf(name: string, options: TopicOptions = bounds.bus): Topic {
    if (closed) throw new SluiceError('SLUICE_CLOSED', 'The message bus is closed.')
    let topic = topics.get(name)
    if (!topic) topics.set(name, (topic = { options, messages: [], groups: new Map(), published: 0 }))
    return topic
  }

  function accepted(topic: Topic, { key, headers = {}, body }: Outgoing): Message {
    const position = topic.published++
    return { position, key, headers, body: Buffer.from(body), publishedAtMs: clock.nowMs() }
  }

  /** Messages are kept for groups that come later. */
  function forgetOld({ messages, options }: Topic): void {
    const oldest = clock.nowMs() - options.retentionMs
    const young = messages.findIndex(message => message.publishedAtMs >= oldest)
    messages.splice(0, young < 0 ? messages.length : young)
  }

  return {
    async ensureTopic(name, options) {
      topicOf(name, options)
    },
    async publish(name, outgoing) {
      const topic = topicOf(name)
      const { messageBytesMax } = topic.options
      for (const { body } of outgoing) {
        if (body.byteLength > messageBytesMax) {
          throw new SluiceError('SLUICE_TOO_LARGE', `A message is larger than ${messageBytesMax} bytes.`)
        }
      }
      forgetOld(topic)
      const messages = outgoing.map(message => accepted(topic, message))
      topic.messages.push(...messages)
      for (const group of topic.groups.values()) group.add(messages)
    },
    async subscribe(name, options, handle) {
      const topic = topicOf(name)
      let group = topic.groups.get(options.group)
      if (!group) {
        group = new Group(clock, random)
        topic.groups.set(options.group, group)
        if (options.from === 'earliest') group.add(topic.messages)
      }
      return group.join(options, handle)
    },
    async waiting(name, groupName) {
      const { groups, messages } = topicOf(name)
      return each(groups.get(groupName)?.waiting() ?? [...messages])
    },
    async close() {
      closed = true
      const groups = [...topics.values()].flatMap(topic => [...topic.groups.values()])
      await Promise.all(groups.map(group => group.close()))
    },
  }
}

async function* each(messages: readonly Message[]): AsyncGenerator<Outgoing> {
  for (const { body, headers, key } of messages) yield { ...(key === undefined ? {} : { key }), headers, body }
}
