import { describe, expect, it, onTestFinished } from 'vitest'
import { eventually, recorder, unique } from '../../../contract/index.ts'
import { bounds } from '../../model/index.ts'
import { openTestBackend, temporaryDirectory } from './testing/rig.ts'

/** The same numbers for the same seed. */
function seeded(seed: number): () => number {
  let state = seed
  return () => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0
    return state / 2 ** 32
  }
}

async function folder(): Promise<string> {
  const { directory, remove } = await temporaryDirectory()
  onTestFinished(remove)
  return directory
}

describe('embedded bus: delivery', () => {
  for (const seed of [1, 2, 3]) {
    it(`finishes every message, each key in order, over failures, pauses and crashes (seed ${seed}) [rel:R1]`, async () => {
      const chance = seeded(seed)
      const directory = await folder()
      const finished: string[] = []
      const published: string[] = []
      const unmarked: string[] = []
      for (let life = 0; life < 4; life++) {
        const { backend, crash } = await openTestBackend(directory)
        const before = new Set(published)
        const subscription = await backend.bus.subscribe(
          'topic',
          { group: 'group', from: 'earliest', concurrency: 1 + Math.floor(chance() * 8), order: 'key' },
          async ({ body, redelivered }) => {
            const text = Buffer.from(body).toString()
            if (before.has(text) && !redelivered) unmarked.push(text)
            await new Promise(resolve => setImmediate(resolve))
            if (chance() < 0.05) throw new Error('fails now and then')
            finished.push(text)
          },
        )
        for (let page = 0; page < 20; page++) {
          const messages = Array.from(
            { length: 15 },
            (_, at) => `${Math.floor(chance() * 10)}-${published.length + at}`,
          )
          await backend.bus.publish(
            'topic',
            messages.map(text => ({ key: text.split('-')[0], body: Buffer.from(text) })),
          )
          published.push(...messages)
          if (chance() < 0.2) subscription.pause()
          if (chance() < 0.5) subscription.resume()
        }
        subscription.resume()
        if (life < 3) await crash()
        else {
          await eventually(async () => (await subscription.depth()) === 0)
          await backend.close()
        }
      }
      expect(new Set(finished)).toEqual(new Set(published))
      expect(unmarked).toEqual([])
      for (let key = 0; key < 10; key++) {
        const firstTimes = [...new Set(finished.filter(text => text.startsWith(`${key}-`)))]
        expect(firstTimes).toEqual(published.filter(text => text.startsWith(`${key}-`)))
      }
    }, 60_000)
  }

  it('hands over what is acknowledged before it can be read, as it is when sabotaged', async () => {
    const directory = await folder()
    const first = await openTestBackend(directory)
    await first.backend.bus.publish('topic', [{ key: 'old', body: new Uint8Array() }])
    await first.backend.close()
    const { backend } = await openTestBackend(directory, { sabotage: 'acknowledge-before-sync' })
    onTestFinished(() => backend.close())
    const seen = recorder<string>()
    // It reads the old one from the disk, and the young one follows before that is done.
    const options = { group: 'group', from: 'earliest', concurrency: 1, order: 'none' } as const
    await backend.bus.subscribe('topic', options, async ({ key = '' }) => seen.add(key))
    await backend.bus.publish('topic', [{ key: 'young', body: new Uint8Array() }])
    await eventually(async () => seen.all.length === 2)
  })

  it('marks all that was published before it opened as perhaps handed out before, and nothing else', async () => {
    const directory = await folder()
    const first = await openTestBackend(directory)
    await first.backend.bus.publish('topic', [{ key: 'old', body: new Uint8Array() }])
    await first.backend.close()
    const { backend } = await openTestBackend(directory)
    onTestFinished(() => backend.close())
    await backend.bus.publish('topic', [{ key: 'young', body: new Uint8Array() }])
    const seen = recorder<string>()
    const options = { group: 'group', from: 'earliest', concurrency: 1, order: 'topic' } as const
    await backend.bus.subscribe('topic', options, async ({ key, redelivered }) => seen.add(`${key} ${redelivered}`))
    expect(await seen.take(2)).toEqual(['old true', 'young false'])
  })

  it('keeps little in memory however many messages wait, and loses none', async () => {
    const directory = await folder()
    const { backend } = await openTestBackend(directory)
    onTestFinished(() => backend.close())
    const topic = unique('topic')
    const seen = recorder<number>()
    const options = { group: 'group', from: 'earliest', concurrency: 50, order: 'none' } as const
    const subscription = await backend.bus.subscribe(topic, options, async ({ body }) => {
      seen.add(Number(Buffer.from(body.subarray(0, 10)).toString()))
    })
    subscription.pause()
    const count = 4 * bounds.bus.prefetchMax
    const filler = 'x'.repeat(40_000)
    for (let at = 0; at < count; at += 200) {
      await backend.bus.publish(
        topic,
        Array.from({ length: 200 }, (_, offset) => ({
          body: Buffer.from(String(at + offset).padStart(10, '0') + filler),
        })),
      )
    }
    expect(await subscription.depth()).toBe(count)
    // 160 MB wait; what is held of them is bounded.
    expect(process.memoryUsage().arrayBuffers).toBeLessThan(2.5 * bounds.bus.prefetchBytesMax)
    subscription.resume()
    const all = await seen.take(count)
    expect(all).toEqual([...all].sort((a, b) => a - b))
    expect(new Set(all).size).toBe(count)
  })

  it('goes on with other keys while hundreds of messages wait behind one that fails [rel:R15]', async () => {
    const { backend } = await openTestBackend(await folder())
    onTestFinished(() => backend.close())
    const seen = recorder<string>()
    let healed = false
    const options = { group: 'group', from: 'earliest', concurrency: 4, order: 'key' } as const
    await backend.bus.subscribe('topic', options, async ({ key = '', body }) => {
      if (key === 'poison' && !healed) throw new Error('poison')
      seen.add(`${key} ${Buffer.from(body).toString()}`)
    })
    const poison = Array.from({ length: 3 * bounds.bus.prefetchMax }, (_, at) => ({
      key: 'poison',
      body: Buffer.from(String(at)),
    }))
    await backend.bus.publish('topic', poison)
    await backend.bus.publish('topic', [{ key: 'good', body: Buffer.from('0') }])
    expect(await seen.take(1)).toEqual(['good 0'])
    healed = true
    const all = await seen.take(1 + poison.length, 60_000)
    expect(all.slice(1)).toEqual(poison.map((_, at) => `poison ${at}`))
  })
})
