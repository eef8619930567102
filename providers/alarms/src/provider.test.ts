import { manualClock } from '@sluice/core/contract'
import { systemRandom } from '@sluice/core/spi'
import { createProvider, type Parameters } from '@sluice/provider-kit'
import { openStubCore, testKeyRing, testLog, testState, type TestState } from '@sluice/provider-kit/contract'
import { expect, it, onTestFinished } from 'vitest'
import { alarmsProvider } from './provider.ts'

const startMs = Date.UTC(2030, 0, 1, 11, 59, 30)
const auth = 'uuid:secret'

it('[feed:A68] fires a cron alarm as a CloudEvent, and no more after DELETE', async () => {
  const { core, call, second, provider } = await running()
  expect(await call('CREATE', { cron: '0 12 * * *', trigger_payload: { a: 1 } })).toEqual({
    status: 200,
    body: { status: 'success' },
  })
  await second(30)
  const [fire] = await core.fired(1)
  expect(fire?.body).toBe('{"a":1}')
  expect(fire?.headers).toMatchObject({
    'ce-time': '2030-01-01T12:00:00.000Z',
    'ce-id': expect.stringMatching(/^[0-9A-Z]{26}\.1893499200000$/),
    'ce-type': 'io.sluice.alarms.cron',
    'ce-source': 'urn:sluice:alarms:test:guest/T',
    'sluice-input': 'data',
    'x-sluice-attempt': '1',
    'content-type': 'application/json',
  })
  expect(await call('DELETE')).toEqual({ status: 200, body: { status: 'success' } })
  await second(86_400)
  expect(core.fires).toHaveLength(1)
  await provider.stop()
})

async function running(state: TestState = testState()) {
  const core = await openStubCore()
  core.grant(auth, 'guest')
  core.triggers.set('guest/T', { rules: new Set(), annotations: [] })
  const clock = manualClock(startMs)
  const log = testLog()
  let tick = () => {}
  const pulse = { start: (onTick: () => void) => void (tick = onTick), stop: () => void (tick = () => {}) }
  const provider = createProvider({
    definition: alarmsProvider({ pulse }),
    state,
    keyRing: testKeyRing(),
    clock,
    random: systemRandom,
    log,
    hubUrl: core.url,
    instance: 'test',
    token: 'token',
  })
  await provider.start()
  onTestFinished(async () => {
    await provider.stop()
    await core.stop()
  })
  return {
    core,
    clock,
    log,
    provider,
    state,
    call: (lifecycleEvent: string, parameters: Parameters = {}) =>
      provider.handleLifecycle({
        lifecycleEvent,
        triggerName: '/_/T',
        authKey: auth,
        __OW_NAMESPACE: 'guest',
        ...parameters,
      }),
    async second(count: number) {
      await clock.advance(count * 1000)
      tick()
      await clock.advance(0)
    },
  }
}
