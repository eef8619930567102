import { expect, it, onTestFinished } from 'vitest'
import { openHarness } from './contract/index.ts'
import { defineFeed, type Feed, type ProviderDefinition } from './index.ts'
import { nearMissWarnings } from './near-miss.ts'
import { parseTriggerName } from './trigger-name.ts'

async function providing(feed: Partial<Feed>) {
  const definition: ProviderDefinition = {
    name: 'p',
    feeds: [
      defineFeed({
        name: 'f',
        description: '',
        parameters: [],
        create: () => ({ config: {} }),
        update: config => ({ config }),
        describe: config => ({ ...config }),
        ...feed,
      }),
    ],
    errorShape: 'flat',
    texts: {
      noTriggerName: 'no name',
      unauthorized: '',
      adminDisabled: () => '',
      notFound: name => `${name} is unknown`,
    },
  }
  const harness = await openHarness({ definition: () => definition })
  onTestFinished(() => harness.close())
  return harness
}

it('[feed:P12] gives up a CREATE whose source hangs after 45 s, and leaves nothing behind', async () => {
  const aborted: unknown[] = []
  const harness = await providing({
    create: (_parameters, { signal }) =>
      new Promise((_, reject) => {
        signal.addEventListener('abort', () => {
          aborted.push(signal.reason)
          reject(signal.reason as Error)
        })
      }),
  })
  const answer = harness.call('CREATE')
  await harness.advance(44_000)
  expect(aborted).toEqual([])
  await harness.advance(1000)
  expect(await answer).toEqual({
    status: 504,
    body: { error: 'the feed did not get ready in time', code: 'SLUICE_REQUEST' },
  })
  expect(aborted).toHaveLength(1)
  expect(await harness.state.dump('')).toEqual([])
})

it('answers a CREATE in time whose source does not even listen to its signal', async () => {
  const harness = await providing({ create: () => new Promise(() => undefined) })
  const answer = harness.call('CREATE')
  await harness.advance(45_000)
  expect((await answer).status).toBe(504)
})

it('lets a DELETE through while the source of an UPDATE hangs', async () => {
  const harness = await providing({ update: () => new Promise(() => undefined) })
  await harness.call('CREATE')
  const update = harness.call('UPDATE', { maxAttempts: 3 })
  await harness.settle()
  expect((await harness.call('DELETE')).status).toBe(200)
  expect(await update).toMatchObject({ status: 409, body: { error: 'superseded' } })
  expect(await harness.state.dump('')).toEqual([])
})

it('calls a subscription degraded after twenty refused events in a row, and keeps it active', async () => {
  const harness = await providing({
    async open(session) {
      for (let number = 1; number <= 20; number++) {
        const event = { id: `${number}`, source: 's', type: 't', timeMs: 1, recordedAtMs: 1, data: {} }
        await session.fire(event)
      }
    },
  })
  harness.core.onFire = () => ({ status: 400 })
  await harness.call('CREATE')
  await harness.settle()
  expect(await harness.read()).toMatchObject({ status: { active: true }, stats: { deadLettered: 20, degraded: true } })
})

it('keeps a failure of one source from the others', async () => {
  const harness = await providing({
    open: async ({ trigger, signal }) => {
      if (trigger === 'T') throw new Error('broken')
      await new Promise(resolve => signal.addEventListener('abort', resolve))
    },
  })
  harness.core.triggers.set('guest/Other', { rules: new Set(), annotations: [] })
  await harness.call('CREATE')
  await harness.call('CREATE', { triggerName: 'Other' })
  await harness.settle()
  expect((await harness.read()).stats.lastError).toBe('the source failed')
  expect((await harness.read({ triggerName: 'Other' })).stats).not.toHaveProperty('lastError')
})

it('says what is missing on READ of a subscription that is not there', async () => {
  const harness = await providing({})
  expect(await harness.call('READ')).toMatchObject({ status: 404, body: { error: '/guest/T is unknown' } })
})

it('refuses what it could not do yet rather than promise it', async () => {
  const harness = await providing({})
  const answer = await harness.call('CREATE', { ceFilter: "type = 'x'" })
  expect(answer).toMatchObject({
    status: 400,
    body: { error: 'the ceFilter parameter is not supported by this version' },
  })
})

it.each(['', 'a/b/c', '//T', '/_/', 7, undefined])('refuses the trigger name %s', name => {
  expect(() => parseTriggerName(name, 'ns', 'none')).toThrow()
})

it('warns of names within two changes of a known one only', () => {
  expect(nearMissWarnings(['crom', 'cro', 'corn', 'cron', 'crocodile'], ['cron'])).toEqual([
    "unknown parameter 'crom'",
    "unknown parameter 'cro'",
    "unknown parameter 'corn'",
  ])
})
