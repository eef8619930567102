import fastify from 'fastify'
import { createHubClient } from '@sluice/core/client'
import { manualClock, type ManualClock } from '@sluice/core/contract'
import { systemRandom, type Logger } from '@sluice/core/spi'
import type { Parameters, ProviderDefinition } from '../feed.ts'
import type { LifecycleAnswer } from '../lifecycle.ts'
import { createProvider, type Provider } from '../provider.ts'
import { openStubCore, type StubCore } from './stub-core.ts'
import { testKeyRing, testLog } from './test-parts.ts'
import { testState, type TestState } from './test-state.ts'

/** The key of namespace `guest`, with a word in it that must never be seen anywhere. */
export const guestKey = 'uuid:marker-secret'

export type Harness = {
  readonly core: StubCore
  readonly clock: ManualClock
  readonly state: TestState
  readonly log: Logger & { readonly lines: string[] }
  readonly provider: Provider
  /** A lifecycle call for trigger `/_/T` of namespace `guest`, unless `parameters` say otherwise. */
  call(lifecycleEvent: unknown, parameters?: Parameters): Promise<LifecycleAnswer>
  /** READ's body. */
  read(
    parameters?: Parameters,
  ): Promise<{ config: Record<string, unknown>; status: Status; stats: Record<string, unknown> }>
  /** The text of one of the provider's own routes. */
  get(path: string): Promise<string>
  /** Moves the clock on in steps (of a second, unless told otherwise), beats, and lets everything settle in between.
   *  Requests begin within a step: one that is longer than their time limits makes them fail. */
  advance(ms: number, stepMs?: number): Promise<void>
  /** Resolves when no request is under way and all that followed from the answers has happened. */
  settle(): Promise<void>
  /** Stops the provider and starts another on the same state, `downMs` later. */
  restart(options?: { downMs?: number; crash?: boolean }): Promise<void>
  close(): Promise<void>
}

type Status = { active: boolean; dateChanged: number; dateChangedISO: string; reason?: Record<string, unknown> }

export type HarnessOptions = {
  /** Makes the provider's definition; again for each restart. */
  definition: () => ProviderDefinition
  /** What makes the provider look at the clock, beside its timers. */
  beat?: () => void
  startMs?: number
  lifecyclePerMinute?: number
}

/** A provider against a stub core and a state in memory, on a clock that the test moves. */
export async function openHarness(options: HarnessOptions): Promise<Harness> {
  const core = await openStubCore()
  const clock = manualClock(options.startMs)
  const state = testState()
  const log = testLog()
  const underWay = new Set<Promise<unknown>>()
  let line = { cut: false }
  core.grant(guestKey, 'guest')
  const { name, feeds } = options.definition()
  const annotations = [{ key: 'feed', value: `/whisk.system/${name}/${feeds[0]?.name}` }]
  core.triggers.set('guest/T', { rules: new Set(), annotations })
  let provider = await start()

  async function start(): Promise<Provider> {
    line = { cut: false }
    const created = createProvider({
      definition: options.definition(),
      state: through(state, line),
      keyRing: testKeyRing(),
      clock,
      random: systemRandom,
      log,
      hubUrl: core.url,
      instance: 'test',
      token: 'token',
      lifecyclePerMinute: options.lifecyclePerMinute,
      client: through(createHubClient({ apihost: core.url, clock }), line, underWay),
    })
    await created.start()
    return created
  }

  async function settle(): Promise<void> {
    for (let quiet = 0; quiet < 3; quiet = underWay.size <= core.pending.size ? quiet + 1 : 0) await turn()
  }

  const harness: Harness = {
    core,
    clock,
    state,
    log,
    get provider() {
      return provider
    },
    call: (lifecycleEvent, parameters = {}) =>
      provider.handleLifecycle({
        lifecycleEvent,
        triggerName: '/_/T',
        authKey: guestKey,
        __OW_NAMESPACE: 'guest',
        ...parameters,
      }),
    async read(parameters) {
      return (await harness.call('READ', parameters)).body as never
    },
    async get(path) {
      const app = fastify()
      await app.register(provider.plugin)
      const { body } = await app.inject({ method: 'GET', url: path })
      await app.close()
      return body
    },
    async advance(ms, stepMs = 1000) {
      for (let rest = ms; rest > 0; rest -= stepMs) {
        await clock.advance(Math.min(stepMs, rest))
        options.beat?.()
        await settle()
      }
    },
    settle,
    async restart({ downMs = 0, crash = false } = {}) {
      if (crash) line.cut = true
      const stopped = provider.stop()
      if (!crash) await stopped
      underWay.clear()
      if (downMs > 0) await clock.advance(downMs)
      provider = await start()
      options.beat?.()
      await settle()
    },
    async close() {
      await provider.stop()
      await core.stop()
    },
  }
  return harness
}

/** Lets everything that is settled run its course, and the event loop look at its sockets. */
function turn(): Promise<void> {
  return new Promise(resolve => setImmediate(resolve))
}

/**
 * The same object, as the process on this side of the line sees it: once the line is cut, no call does anything and no
 * answer arrives, as after `kill -9`. Calls under way are kept in `underWay`.
 */
function through<T extends object>(target: T, line: { cut: boolean }, underWay = new Set<Promise<unknown>>()): T {
  return new Proxy(target, {
    get(_, name) {
      const value = target[name as keyof T] as unknown
      if (typeof value !== 'function' || name === 'close' || name === 'watch') return value
      return async (...args: unknown[]) => {
        if (line.cut) return never
        const call = (value as (...args: unknown[]) => Promise<unknown>)(...args)
        underWay.add(call)
        const done = () => underWay.delete(call)
        call.then(done, done)
        const outcome = await call.then(
          result => () => result,
          (error: unknown) => () => {
            throw error
          },
        )
        return line.cut ? never : outcome()
      }
    },
  })
}

const never = new Promise<never>(() => undefined)
