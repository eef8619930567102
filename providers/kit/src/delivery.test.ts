import { setMaxListeners } from 'node:events'
import { expect, it, onTestFinished } from 'vitest'
import { guestKey, openHarness, type Harness, type StubAnswer } from './contract/index.ts'
import { createFirer } from './firer.ts'
import { createHubClient } from '@sluice/core/client'
import { systemRandom } from '@sluice/core/spi'
import {
  defineFeed,
  type FeedEvent,
  type FireOutcome,
  type Parameters,
  type ProviderDefinition,
  type Session,
} from './index.ts'

/** One subscription whose events the test hands over; what is not settled is fired again by the next session. */
async function delivering(parameters: Parameters = {}) {
  const outcomes: (FireOutcome | 'closed')[] = []
  const held: FeedEvent[] = []
  let session: Session | undefined
  const feed = defineFeed({
    name: 'push',
    description: '',
    parameters: [],
    create: () => ({ config: {} }),
    update: config => ({ config }),
    describe: config => ({ ...config }),
    async open(opened) {
      session = opened
      for (const event of held.splice(0)) void fire(event)
      await new Promise(resolve => opened.signal.addEventListener('abort', resolve, { once: true }))
    },
  })
  const definition: ProviderDefinition = {
    name: 'push',
    feeds: [feed],
    errorShape: 'flat',
    texts: { noTriggerName: '', unauthorized: '', adminDisabled: () => '', notFound: () => '' },
  }
  async function fire(event: FeedEvent) {
    try {
      outcomes.push(await session!.fire(event))
    } catch {
      outcomes.push('closed')
      held.push(event)
    }
  }
  const harness = await openHarness({ definition: () => definition })
  onTestFinished(() => harness.close())
  await harness.call('CREATE', parameters)
  return {
    harness,
    outcomes,
    async push(number = 1, data: object = { number }) {
      const timeMs = harness.clock.nowMs()
      void fire({ id: `e${number}`, source: 'urn:x', type: 't', timeMs, recordedAtMs: timeMs, data })
      await harness.settle()
    },
  }
}

function answers(harness: Harness, ...list: StubAnswer[]) {
  harness.core.onFire = (_fire, count) => list[Math.min(count, list.length) - 1]
}

it('[feed:DL7] [feed:DL8] takes any 2xx for delivered, whatever its body', async () => {
  const { harness, outcomes, push } = await delivering()
  answers(harness, { status: 202, body: 'xx' }, { status: 204 })
  await push(1)
  await push(2)
  expect(outcomes).toEqual([
    { outcome: 'fired', status: 202, attempts: 1 },
    { outcome: 'fired', status: 204, attempts: 1 },
  ])
})

it.each([301, 400, 413, 415, 422])('[feed:DL9] dead-letters at a %i and goes on', async status => {
  const { harness, outcomes, push } = await delivering()
  answers(harness, { status, body: 'because', headers: { location: '/elsewhere' } }, { status: 202 })
  await push(1)
  await push(2)
  expect(outcomes.map(outcome => outcome !== 'closed' && outcome.outcome)).toEqual(['deadLettered', 'fired'])
  expect(harness.core.fires).toHaveLength(2)
  const [letter] = await harness.provider.deadLetters.list('guest:T', 10)
  expect(letter).toMatchObject({ status, attempts: 1, answer: 'because', event: { id: 'e1', data: { number: 1 } } })
  expect((await harness.read()).status.active).toBe(true)
})

it('[feed:DL10] leaves a namespace alone for as long as a 429 asks', async () => {
  const { harness, outcomes, push } = await delivering()
  answers(harness, { status: 429, headers: { 'retry-after': '30' } }, { status: 202 })
  await push(1)
  await push(2)
  await harness.advance(29_000)
  expect(harness.core.fires).toHaveLength(1)
  await harness.advance(2000)
  expect(harness.core.fires).toHaveLength(3)
  expect(outcomes).toHaveLength(2)
})

it('[feed:DL11] obeys a Retry-After that is a date', async () => {
  const { harness, push } = await delivering()
  const until = new Date(harness.clock.nowMs() + 20_000).toUTCString()
  answers(harness, { status: 503, headers: { 'retry-after': until } }, { status: 202 })
  await push(1)
  await harness.advance(19_000)
  expect(harness.core.fires).toHaveLength(1)
  await harness.advance(3000)
  expect(harness.core.fires).toHaveLength(2)
})

it('[feed:DL13] does not disable at a single 403', async () => {
  const { harness, outcomes, push } = await delivering()
  answers(harness, { status: 403 }, { status: 202 })
  await push(1)
  await harness.advance(40_000)
  expect(outcomes).toEqual([{ outcome: 'fired', status: 202, attempts: 2 }])
})

it('[feed:DL14] disables after a minute of 403, and delivers the held event after an UPDATE', async () => {
  const { harness, outcomes, push } = await delivering()
  answers(harness, { status: 403 })
  await push(1)
  await harness.advance(59_000)
  expect((await harness.read()).status.active).toBe(true)
  await harness.advance(40_000)
  expect((await harness.read()).status).toMatchObject({ active: false, reason: { kind: 'AUTO', statusCode: 403 } })
  expect(outcomes).toEqual(['closed'])
  answers(harness, { status: 202 })
  expect((await harness.call('UPDATE', { maxAttempts: 5 })).status).toBe(200)
  await harness.settle()
  expect(outcomes[1]).toEqual({ outcome: 'fired', status: 202, attempts: 1 })
})

it('[feed:DL15] tries again after a 410 when the trigger is there', async () => {
  const { harness, outcomes, push } = await delivering()
  answers(harness, { status: 410 }, { status: 202 })
  await push(1)
  await harness.advance(2000)
  expect(outcomes).toEqual([{ outcome: 'fired', status: 202, attempts: 2 }])
})

it('[feed:DL16] [feed:DL27] sends the same bytes again after ten seconds without an answer', async () => {
  const { harness, outcomes, push } = await delivering()
  harness.core.onFire = (_fire, count) => (count === 1 ? new Promise(() => undefined) : { status: 202 })
  await push(1)
  await harness.advance(12_000, 500)
  expect(outcomes).toEqual([{ outcome: 'fired', status: 202, attempts: 2 }])
  const [first, second] = harness.core.fires
  expect(second?.body).toBe(first?.body)
  expect(first?.headers['x-sluice-attempt']).toBe('1')
  expect(second?.headers).toEqual({ ...first?.headers, 'x-sluice-attempt': '2' })
})

it('dead-letters after maxAttempts failures of the hub itself', async () => {
  const { harness, outcomes, push } = await delivering({ maxAttempts: 3 })
  answers(harness, { status: 500 })
  await push(1)
  await harness.advance(20_000)
  expect(outcomes).toEqual([{ outcome: 'deadLettered', reason: 'retries-exhausted', status: 500, attempts: 3 }])
})

it('dead-letters when the time for retries is over', async () => {
  const { harness, outcomes, push } = await delivering({ maxAttempts: 50, maxRetryElapsed: 30 })
  answers(harness, { status: 409 })
  await push(1)
  await harness.advance(120_000)
  expect(outcomes).toMatchObject([{ outcome: 'deadLettered', reason: 'retries-exhausted' }])
  expect(harness.core.fires.length).toBeLessThan(50)
})

it('charges no event for a hub that is down, or that answers 429, for hours', async () => {
  const { harness, outcomes, push } = await delivering({ maxAttempts: 1, maxRetryElapsed: 1 })
  await harness.core.stop()
  await push(1)
  await harness.advance(3_600_000, 2000)
  expect(outcomes).toEqual([])
  expect(harness.provider.readiness()).toEqual({ ready: false, reason: 'the hub does not answer' })
  await harness.core.start()
  answers(harness, ...Array.from({ length: 100 }, () => ({ status: 429 })), { status: 202 })
  await harness.advance(7_200_000, 2000)
  expect(outcomes).toMatchObject([{ outcome: 'fired' }])
  expect((await harness.read()).status.active).toBe(true)
})

it('dead-letters a payload over the limit without sending it', async () => {
  const { harness, outcomes, push } = await delivering()
  await push(1, { text: 'x'.repeat(1024 * 1024) })
  expect(outcomes).toMatchObject([{ outcome: 'deadLettered', reason: 'payload-too-large', attempts: 0 }])
  expect(harness.core.fires).toEqual([])
})

it('finishes an attempt that is under way when its subscription is paused, and makes no other', async () => {
  const { harness, outcomes, push } = await delivering()
  let release: (answer: StubAnswer) => void = () => undefined
  harness.core.onFire = () => new Promise(resolve => (release = resolve))
  await push(1)
  await push(2)
  await harness.call('PAUSE')
  release({ status: 202 })
  await harness.settle()
  expect(outcomes).toContainEqual({ outcome: 'fired', status: 202, attempts: 1 })
  await harness.advance(60_000)
  expect(harness.core.fires).toHaveLength(2)
})

it('never has more fires under way than it may', async () => {
  const { harness } = await delivering()
  let most = 0
  const waiting: (() => void)[] = []
  harness.core.onFire = () =>
    new Promise(resolve => {
      waiting.push(() => resolve({ status: 202 }))
      most = Math.max(most, waiting.length)
    })
  const client = createHubClient({ apihost: harness.core.url, clock: harness.clock })
  onTestFinished(() => client.close())
  const firer = createFirer({ client, clock: harness.clock, random: systemRandom, concurrency: 5 })
  const { signal } = new AbortController()
  setMaxListeners(0, signal)
  const all = Array.from({ length: 30 }, () =>
    firer.fire({
      trigger: { namespace: 'guest', trigger: 'T' },
      authKey: () => guestKey,
      request: () => ({ headers: {}, body: '{}', bytes: 2 }),
      maxAttempts: 1,
      maxRetryElapsedMs: 1000,
      signal,
    }),
  )
  let done = 0
  void Promise.all(all).then(() => (done = 1))
  while (!done) {
    await new Promise(resolve => setImmediate(resolve))
    waiting.shift()?.()
  }
  expect(harness.core.fires).toHaveLength(30)
  expect(most).toBeLessThanOrEqual(5)
})
