import { describe, expect, it } from 'vitest'
import type { Incoming, MessageBus, Outgoing, SubscribeOptions } from '../src/spi/index.ts'
import { codeOf, eventually, gate, opened, openedTwice, recorder, unique, type Opener } from './support.ts'

const kib = 1024

/**
 * Every MessageBus passes this suite. Read the test names: they are the specification. The tests about restarts run for
 * those whose data outlive the process (`lasting`).
 */
export function messageBusContract(name: string, open: Opener<MessageBus>, { lasting }: { lasting: boolean }): void {
  describe(`MessageBus: ${name}`, () => {
    describe('topics', () => {
      it('creates a topic once and leaves an existing one as it is [platform:MSG-23]', async () => {
        const bus = await opened(open)
        const topic = await topicOf(bus, { messageBytesMax: kib })
        await bus.ensureTopic(topic, { partitions: 1, retentionMs: 3_600_000, messageBytesMax: 64 * kib })
        expect(await codeOf(bus.publish(topic, [message('k', 'x'.repeat(2 * kib))]))).toBe('SLUICE_TOO_LARGE')
      })

      it('refuses a message beyond the bound of its topic, and all that was published with it', async () => {
        const bus = await opened(open)
        const topic = await topicOf(bus, { messageBytesMax: kib })
        const seen = await listen(bus, topic)
        const refused = bus.publish(topic, [message('k', 'small'), message('k', 'x'.repeat(2 * kib))])
        expect(await codeOf(refused)).toBe('SLUICE_TOO_LARGE')
        await bus.publish(topic, [message('k', 'after')])
        expect(await seen.take(1)).toEqual(['after'])
      })
    })

    describe('delivery', () => {
      it('brings a message as it was published: key, headers, body, time', async () => {
        const bus = await opened(open)
        const topic = await topicOf(bus)
        const seen = recorder<Incoming>()
        await bus.subscribe(topic, options(), async incoming => seen.add(incoming))
        const before = Date.now()
        const headers = { traceparent: '00-aa-bb-01', 'x-ünïcode': 'später ✓' }
        await bus.publish(topic, [{ key: 'schlüssel', headers, body: Buffer.from('{"größe": 1.0}') }])
        const [incoming] = await seen.take(1)
        expect(incoming).toMatchObject({ key: 'schlüssel', headers, redelivered: false })
        expect(textOf(incoming!)).toBe('{"größe": 1.0}')
        expect(incoming!.publishedAtMs).toBeGreaterThanOrEqual(before - 60_000)
        expect(incoming!.position).not.toBe('')
        expect(incoming!.signal.aborted).toBe(false)
      })

      it('keeps every byte of a body, of none and of a large one', async () => {
        const bus = await opened(open)
        const topic = await topicOf(bus)
        const seen = recorder<Uint8Array>()
        await bus.subscribe(topic, options(), async ({ body }) => seen.add(Uint8Array.from(body)))
        const bodies = [
          Uint8Array.from({ length: 256 }, (_, byte) => byte),
          new Uint8Array(),
          Uint8Array.from({ length: 300 * kib }, (_, at) => (at * 31) % 251),
          Buffer.from('\ufeff{"a":"\u0000\ud83d\ude00"}'),
        ]
        await bus.publish(
          topic,
          bodies.map(body => ({ key: 'k', body })),
        )
        expect((await seen.take(4)).map(body => Buffer.from(body).toString('hex'))).toEqual(
          bodies.map(body => Buffer.from(body).toString('hex')),
        )
      })

      it('takes a message without a key', async () => {
        const bus = await opened(open)
        const topic = await topicOf(bus)
        const seen = recorder<string | undefined>()
        await bus.subscribe(topic, options(), async ({ key }) => seen.add(key))
        await bus.publish(topic, [{ body: Buffer.from('bare') }])
        expect(await seen.take(1)).toEqual([undefined])
      })

      it('names each message of a topic by another position', async () => {
        const bus = await opened(open)
        const topic = await topicOf(bus)
        const seen = recorder<string>()
        await bus.subscribe(topic, options(), async ({ key, position }) => seen.add(`${key} ${position}`))
        await bus.publish(topic, numbered(50, 'same'))
        expect(new Set(await seen.take(50)).size).toBe(50)
      })

      it('gives every group all messages, and each message to one member of a group', async () => {
        const bus = await opened(open)
        const topic = await topicOf(bus)
        const groups = { billing: recorder<string>(), audit: recorder<string>() }
        for (const [group, seen] of Object.entries(groups)) {
          for (let member = 0; member < 2; member++) {
            await bus.subscribe(topic, options({ group }), async incoming => seen.add(textOf(incoming)))
          }
        }
        await bus.publish(topic, numbered(40))
        for (const seen of Object.values(groups)) {
          expect([...(await seen.take(40))].sort()).toEqual(texts(40).sort())
          expect(seen.all.length).toBe(40)
        }
      })

      it("begins a new group at what is there ('earliest') or at what comes ('now')", async () => {
        const bus = await opened(open)
        const topic = await topicOf(bus)
        await bus.publish(topic, [message('k', 'old')])
        const earliest = await listen(bus, topic, { group: 'all' })
        const now = await listen(bus, topic, { group: 'new', from: 'now' })
        await bus.publish(topic, [message('k', 'young')])
        expect(await earliest.take(2)).toEqual(['old', 'young'])
        expect(await now.take(1)).toEqual(['young'])
      })

      it('goes on where a group left off, whatever `from` says', async () => {
        const bus = await opened(open)
        const topic = await topicOf(bus)
        const first = recorder<string>()
        const subscription = await bus.subscribe(topic, options(), async incoming => first.add(textOf(incoming)))
        await bus.publish(topic, [message('k', 'one')])
        await first.take(1)
        await subscription.close()
        await bus.publish(topic, [message('k', 'two')])
        const second = await listen(bus, topic, { from: 'now' })
        await bus.publish(topic, [message('k', 'three')])
        expect(await second.take(2)).toEqual(['two', 'three'])
      })

      it('runs no more handlers at once than it was allowed to, but that many', async () => {
        const bus = await opened(open)
        const topic = await topicOf(bus)
        const started = recorder<string>()
        const done = recorder<string>()
        const { passed, open: go } = gate()
        await bus.subscribe(topic, options({ concurrency: 3 }), async incoming => {
          started.add(textOf(incoming))
          await passed
          done.add(textOf(incoming))
        })
        await bus.publish(topic, numbered(10))
        await started.take(3)
        const [more] = [started.all.length]
        go()
        await done.take(10)
        expect(more).toBe(3)
      })

      it('hands out no more once handlers are at work on so many bytes, and goes on when some are done', async () => {
        const bus = await opened(open)
        const topic = await topicOf(bus)
        const started = recorder<string>()
        const gates = Array.from({ length: 6 }, gate)
        await bus.subscribe(topic, options({ concurrency: 100, bytesMax: 2500 }), async () => {
          const gateOfThis = gates[started.all.length]
          started.add('one')
          await gateOfThis?.passed
        })
        await bus.publish(
          topic,
          gates.map(() => ({ body: new Uint8Array(1000) })),
        )
        await started.take(3)
        await bus.publish(topic, [message('k', 'small')])
        expect(started.all).toHaveLength(3)
        gates[1]?.open()
        await started.take(4)
        expect(started.all).toHaveLength(4)
        for (const { open: go } of gates) go()
        await started.take(7)
      })

      it('delivers a backlog larger than memory should hold, in the order of each key', async () => {
        const bus = await opened(open)
        const topic = await topicOf(bus)
        for (let page = 0; page < 5; page++) {
          await bus.publish(
            topic,
            Array.from({ length: 600 }, (_, at) => message(`k${at % 7}`, `${page * 600 + at}`)),
          )
        }
        const seen = recorder<{ key: string; value: number }>()
        await bus.subscribe(topic, options({ concurrency: 20 }), async incoming => {
          seen.add({ key: incoming.key ?? '', value: Number(textOf(incoming)) })
        })
        const all = await seen.take(3000)
        for (let key = 0; key < 7; key++) {
          const values = all.filter(each => each.key === `k${key}`).map(({ value }) => value)
          expect(values).toEqual([...values].sort((a, b) => a - b))
        }
        expect(new Set(all.map(({ value }) => value)).size).toBe(3000)
      })
    })

    describe('order', () => {
      it("handles the messages of one key one after the other, in their order ('key')", async () => {
        const bus = await opened(open)
        const topic = await topicOf(bus)
        const seen = recorder<string>()
        let running = 0
        await bus.subscribe(topic, options({ concurrency: 8 }), async incoming => {
          running++
          await turn()
          seen.add(`${textOf(incoming)} with ${running - 1} others`)
          running--
        })
        await bus.publish(topic, numbered(30, 'one-key'))
        expect(await seen.take(30)).toEqual(texts(30).map(text => `${text} with 0 others`))
      })

      it('lets other keys go on while one key is at work', async () => {
        const bus = await opened(open)
        const topic = await topicOf(bus)
        const seen = recorder<string>()
        const { passed, open: go } = gate()
        await bus.subscribe(topic, options({ concurrency: 4 }), async incoming => {
          if (incoming.key === 'slow') await passed
          seen.add(textOf(incoming))
        })
        await bus.publish(topic, [message('slow', 's1'), message('slow', 's2'), message('a', 'a1'), message('b', 'b1')])
        expect([...(await seen.take(2))].sort()).toEqual(['a1', 'b1'])
        go()
        expect((await seen.take(4)).slice(2)).toEqual(['s1', 's2'])
      })

      it("handles all messages one after the other ('topic')", async () => {
        const bus = await opened(open)
        const topic = await topicOf(bus, { partitions: 1 })
        const seen = recorder<string>()
        await bus.subscribe(topic, options({ order: 'topic', concurrency: 8 }), async incoming => {
          await turn()
          seen.add(textOf(incoming))
        })
        await bus.publish(topic, numbered(20))
        expect(await seen.take(20)).toEqual(texts(20))
      })

      it('keeps room for other keys beside a large backlog of one, when handlers are shared out fairly', async () => {
        const bus = await opened(open)
        const topic = await topicOf(bus)
        const [seen, done] = [recorder<string>(), gate()]
        let atWork = 0
        await bus.subscribe(topic, options({ order: 'fair', concurrency: 8 }), async ({ key = '' }) => {
          atWork++
          seen.add(key)
          if (key === 'alice') await done.passed
        })
        await bus.publish(topic, numbered(3000, 'alice'))
        await seen.take(4)
        await bus.publish(topic, [message('bob', 'one'), message('carol', 'one')])
        expect((await seen.take(6)).slice(4).sort()).toEqual(['bob', 'carol'])
        await turn()
        expect(atWork).toBe(6)
        done.open()
        await seen.take(3002)
        expect(seen.all.filter(key => key === 'alice')).toHaveLength(3000)
      })

      it('takes keys in turn when handlers are shared out fairly', async () => {
        const bus = await opened(open)
        const topic = await topicOf(bus)
        const [seen, begin] = [recorder<string>(), gate()]
        await bus.publish(topic, [...numbered(20, 'alice'), ...numbered(20, 'bob'), ...numbered(20, 'carol')])
        await bus.subscribe(topic, options({ order: 'fair', concurrency: 3 }), async ({ key = '' }) => {
          await begin.passed
          seen.add(key)
        })
        begin.open()
        await seen.take(60)
        for (const key of ['alice', 'bob', 'carol']) {
          expect(seen.all.slice(0, 15).filter(other => other === key).length).toBeGreaterThanOrEqual(3)
        }
      })

      it('keeps the order of a key for messages of several publications under way', async () => {
        const bus = await opened(open)
        const topic = await topicOf(bus)
        const seen = await listen(bus, topic, { concurrency: 8 })
        await Promise.all(texts(100).map(text => bus.publish(topic, [message('k', text)])))
        expect(await seen.take(100)).toEqual(texts(100))
      })
    })

    describe('redelivery', () => {
      it('delivers a message again whose handler rejects, and says so', async () => {
        const bus = await opened(open)
        const topic = await topicOf(bus)
        const seen = recorder<boolean>()
        await bus.subscribe(topic, options({ concurrency: 1 }), async incoming => {
          seen.add(incoming.redelivered)
          if (seen.all.length < 3) throw new Error('the first two attempts fail')
        })
        await bus.publish(topic, [message('k', 'one')])
        expect(await seen.take(3)).toEqual([false, true, true])
      })

      it('waits longer before each further attempt', async () => {
        const bus = await opened(open)
        const topic = await topicOf(bus)
        const seen = recorder<number>()
        await bus.subscribe(topic, options(), async () => {
          seen.add(performance.now())
          if (seen.all.length < 4) throw new Error('not yet')
        })
        await bus.publish(topic, [message('k', 'one')])
        const [first = 0, second = 0, third = 0, fourth = 0] = await seen.take(4)
        expect(second - first).toBeGreaterThan(20)
        expect(fourth - third).toBeGreaterThan(second - first)
      })

      it('keeps later messages of the key behind one that fails, and lets other keys go on [rel:R15]', async () => {
        const bus = await opened(open)
        const topic = await topicOf(bus)
        const seen = recorder<string>()
        let healed = false
        await bus.subscribe(topic, options({ concurrency: 4 }), async incoming => {
          if (incoming.key === 'poison' && !healed) throw new Error('poison')
          seen.add(textOf(incoming))
        })
        await bus.publish(topic, [message('poison', 'p1'), message('poison', 'p2'), message('a', 'a1')])
        expect(await seen.take(1)).toEqual(['a1'])
        await bus.publish(topic, [message('b', 'b1'), message('a', 'a2')])
        expect([...(await seen.take(3))].sort()).toEqual(['a1', 'a2', 'b1'])
        healed = true
        expect((await seen.take(5)).slice(3)).toEqual(['p1', 'p2'])
      })

      it('lets later messages pass one that fails when any order will do', async () => {
        const bus = await opened(open)
        const topic = await topicOf(bus)
        const seen = recorder<string>()
        await bus.subscribe(topic, options({ order: 'none', concurrency: 1 }), async incoming => {
          if (textOf(incoming) === 'fails' && !incoming.redelivered) throw new Error('the first attempt fails')
          seen.add(textOf(incoming))
        })
        await bus.publish(topic, [message('k', 'fails'), message('k', 'passes')])
        expect(await seen.take(2)).toEqual(['passes', 'fails'])
      })

      it('takes a handler that throws at once for one that rejects', async () => {
        const bus = await opened(open)
        const topic = await topicOf(bus)
        const seen = recorder<boolean>()
        await bus.subscribe(topic, options(), ({ redelivered }) => {
          seen.add(redelivered)
          if (!redelivered) throw new Error('at once')
          return Promise.resolve()
        })
        await bus.publish(topic, [message('k', 'one')])
        expect(await seen.take(2)).toEqual([false, true])
      })
    })

    describe('waiting', () => {
      it('tells what a group has not finished, without delivering it', async () => {
        const bus = await opened(open)
        const topic = await topicOf(bus)
        const held = gate()
        const seen = recorder<string>()
        await bus.subscribe(topic, options({ concurrency: 1, order: 'topic' }), async incoming => {
          seen.add(textOf(incoming))
          if (textOf(incoming) === 'two') await held.passed
        })
        const headers = { a: 'b' }
        await bus.publish(topic, [
          message('k', 'one'),
          { ...message('k2', 'two'), headers },
          { body: Buffer.from('three') },
        ])
        await seen.take(2)
        const found: Outgoing[] = []
        for await (const each of await bus.waiting(topic, 'group'))
          found.push({ ...each, body: Buffer.from(each.body) })
        expect(found).toEqual([
          { key: 'k2', headers, body: Buffer.from('two') },
          { headers: {}, body: Buffer.from('three') },
        ])
        held.open()
        expect(await seen.take(3)).toEqual(['one', 'two', 'three'])
      })

      it('tells of everything to a group that never was, and of nothing in a new topic', async () => {
        const bus = await opened(open)
        const topic = await topicOf(bus)
        const all = async () => {
          const found: string[] = []
          for await (const { body } of await bus.waiting(topic, 'nobody')) found.push(Buffer.from(body).toString())
          return found
        }
        expect(await all()).toEqual([])
        await bus.publish(topic, numbered(5))
        expect(await all()).toEqual(texts(5))
      })

      it('tells how it stood, whatever was published or done before it is read', async () => {
        const bus = await opened(open)
        const topic = await topicOf(bus)
        await bus.publish(topic, numbered(3))
        const waiting = await bus.waiting(topic, 'group')
        const seen = await listen(bus, topic)
        await bus.publish(topic, [message('k', 'later')])
        await seen.take(4)
        let count = 0
        for await (const _ of waiting) count++
        expect(count).toBe(3)
      })
    })

    describe('subscriptions', () => {
      it('counts what is published and not yet done', async () => {
        const bus = await opened(open)
        const topic = await topicOf(bus)
        const started = recorder<string>()
        const { passed, open: go } = gate()
        const subscription = await bus.subscribe(topic, options({ concurrency: 2 }), async incoming => {
          started.add(textOf(incoming))
          await passed
        })
        await bus.publish(topic, numbered(5))
        await started.take(2)
        expect(await subscription.depth()).toBe(5)
        go()
        await started.take(5)
        await eventually(async () => (await subscription.depth()) === 0)
      })

      it('hands nothing out while it is paused, and everything afterwards', async () => {
        const bus = await opened(open)
        const topic = await topicOf(bus)
        const seen = recorder<string>()
        const subscription = await bus.subscribe(topic, options(), async incoming => seen.add(textOf(incoming)))
        subscription.pause()
        await bus.publish(topic, [message('k', 'held')])
        const other = await listen(bus, topic, { group: 'other' })
        await other.take(1)
        expect(seen.all).toEqual([])
        subscription.resume()
        expect(await seen.take(1)).toEqual(['held'])
      })

      it('waits for running handlers when it closes, tells them through their signal, and starts no more', async () => {
        const bus = await opened(open)
        const topic = await topicOf(bus)
        const seen = recorder<string>()
        const { passed, open: go } = gate()
        const subscription = await bus.subscribe(topic, options({ concurrency: 1 }), async incoming => {
          seen.add(`${textOf(incoming)} begins`)
          incoming.signal.addEventListener('abort', () => seen.add(`${textOf(incoming)} is told`))
          await passed
          seen.add(`${textOf(incoming)} ends`)
        })
        await bus.publish(topic, numbered(2))
        await seen.take(1)
        const closed = subscription.close().then(() => seen.add('closed'))
        await seen.take(2)
        go()
        await closed
        expect(seen.all).toEqual(['0 begins', '0 is told', '0 ends', 'closed'])
      })

      it('leaves what a closing member did not finish to the next one, marked as redelivered', async () => {
        const bus = await opened(open)
        const topic = await topicOf(bus)
        const started = recorder<string>()
        const subscription = await bus.subscribe(topic, options({ concurrency: 1 }), async incoming => {
          started.add(textOf(incoming))
          await aborted(incoming.signal)
          throw new Error('handed back')
        })
        await bus.publish(topic, numbered(2))
        await started.take(1)
        await subscription.close()
        const seen = recorder<string>()
        await bus.subscribe(topic, options(), async incoming => seen.add(`${textOf(incoming)} ${incoming.redelivered}`))
        const taken = await seen.take(2)
        expect(taken).toContain('0 true')
        // A bus may have fetched the second one for the first member.
        expect(taken.some(each => each.startsWith('1 '))).toBe(true)
      })

      it('closes with all its subscriptions, twice if need be, and takes nothing more', async () => {
        const bus = await opened(open)
        const topic = await topicOf(bus)
        const done = recorder<string>()
        const started = recorder<string>()
        const { passed, open: go } = gate()
        await bus.subscribe(topic, options(), async incoming => {
          started.add(textOf(incoming))
          await passed
          done.add(textOf(incoming))
        })
        await bus.publish(topic, [message('k', 'one')])
        await started.take(1)
        const closed = Promise.all([bus.close(), bus.close()])
        go()
        await closed
        expect(done.all).toEqual(['one'])
        expect(await codeOf(bus.publish(topic, [message('k', 'late')]))).toBe('SLUICE_CLOSED')
      })
    })

    if (lasting) {
      describe('after a restart', () => {
        for (const how of ['close', 'crash'] as const) {
          it(`has every message that was published before (${how}) [rel:R3]`, async () => {
            const { subject: bus, reopen } = await openedTwice(open)
            const topic = await topicOf(bus)
            await bus.publish(topic, numbered(20))
            const again = await reopen(how)
            const seen = await listen(again, topic)
            expect([...(await seen.take(20))].sort()).toEqual(texts(20).sort())
          })

          it(`goes on publishing behind what was there (${how})`, async () => {
            const { subject: bus, reopen } = await openedTwice(open)
            const topic = await topicOf(bus)
            await bus.publish(topic, [message('k', 'before')])
            const again = await reopen(how)
            await again.publish(topic, [message('k', 'after')])
            const seen = await listen(again, topic)
            expect(await seen.take(2)).toEqual(['before', 'after'])
          })

          it(`delivers again what was at work, and says so (${how})`, async () => {
            const { subject: bus, reopen } = await openedTwice(open)
            const topic = await topicOf(bus)
            const started = recorder<string>()
            await bus.subscribe(topic, options({ concurrency: 2 }), async incoming => {
              started.add(textOf(incoming))
              await aborted(incoming.signal)
              throw new Error('the process ends')
            })
            await bus.publish(topic, numbered(2))
            await started.take(2)
            const again = await reopen(how)
            const seen = recorder<string>()
            await again.subscribe(topic, options(), async incoming => {
              seen.add(`${textOf(incoming)} ${incoming.redelivered}`)
            })
            expect([...(await seen.take(2))].sort()).toEqual(['0 true', '1 true'])
          })
        }

        it('does not deliver again what was done long before it was closed', async () => {
          const { subject: bus, reopen } = await openedTwice(open)
          const topic = await topicOf(bus)
          const seen = recorder<string>()
          const subscription = await bus.subscribe(topic, options(), async incoming => seen.add(textOf(incoming)))
          await bus.publish(topic, numbered(10))
          await eventually(async () => seen.all.length === 10 && (await subscription.depth()) === 0)
          const again = await reopen('close')
          const later = await listen(again, topic)
          await again.publish(topic, [message('k', 'new')])
          expect(await later.take(1)).toEqual(['new'])
        })

        it('remembers what was done out of order, so that only the rest comes again', async () => {
          const { subject: bus, reopen } = await openedTwice(open)
          const topic = await topicOf(bus)
          const done = recorder<string>()
          const subscription = await bus.subscribe(topic, options({ concurrency: 10 }), async incoming => {
            if (textOf(incoming) === '3') {
              await aborted(incoming.signal)
              throw new Error('never finishes')
            }
            done.add(textOf(incoming))
          })
          await bus.publish(topic, numbered(10))
          await eventually(async () => done.all.length === 9 && (await subscription.depth()) === 1)
          const again = await reopen('close')
          const seen = await listen(again, topic)
          await again.publish(topic, [message('z', 'new')])
          expect(await seen.take(2)).toEqual(['3', 'new'])
        })

        it('knows the bounds of its topics', async () => {
          const { subject: bus, reopen } = await openedTwice(open)
          const topic = await topicOf(bus, { messageBytesMax: kib })
          const again = await reopen('close')
          expect(await codeOf(again.publish(topic, [message('k', 'x'.repeat(2 * kib))]))).toBe('SLUICE_TOO_LARGE')
        })
      })
    }
  })
}

async function topicOf(
  bus: MessageBus,
  { partitions = 2, messageBytesMax = 1024 * kib }: { partitions?: number; messageBytesMax?: number } = {},
): Promise<string> {
  const topic = unique('topic')
  await bus.ensureTopic(topic, { partitions, retentionMs: 3_600_000, messageBytesMax })
  return topic
}

function options(changes: Partial<SubscribeOptions> = {}): SubscribeOptions {
  return { group: 'group', from: 'earliest', concurrency: 4, order: 'key', ...changes }
}

async function listen(bus: MessageBus, topic: string, changes: Partial<SubscribeOptions> = {}) {
  const seen = recorder<string>()
  await bus.subscribe(topic, options(changes), async incoming => seen.add(textOf(incoming)))
  return seen
}

function message(key: string, text: string): { key: string; body: Uint8Array } {
  return { key, body: Buffer.from(text) }
}

/** Messages `0`, `1`, ...: each with a key of its own unless one is given. */
function numbered(count: number, key?: string): { key: string; body: Uint8Array }[] {
  return texts(count).map(text => message(key ?? text, text))
}

function texts(count: number): string[] {
  return Array.from({ length: count }, (_, at) => String(at))
}

function textOf({ body }: Incoming): string {
  return Buffer.from(body).toString()
}

function turn(): Promise<void> {
  return new Promise(resolve => setImmediate(resolve))
}

function aborted(signal: AbortSignal): Promise<void> {
  return new Promise(resolve => {
    if (signal.aborted) resolve()
    else signal.addEventListener('abort', () => resolve(), { once: true })
  })
}
