import { describe, expect, it, onTestFinished } from 'vitest'
import { manualClock, type ManualClock } from '../../contract/manual-clock.ts'
import { openMemoryBackend } from '../backend/memory/index.ts'
import {
  ApiError,
  childIdOf,
  groups,
  SluiceError,
  topics,
  type ActivationMessage,
  type ActivationRecord,
  type FireRecord,
} from '../model/index.ts'
import { createRecordTail, systemRandom, type Backend } from '../spi/index.ts'
import { createFanOut, type FanOutCounts } from './fan-out.ts'
import type { ActionResolver, ResolvedAction } from './services.ts'
import { createSettlementService } from './settlement.ts'
import { silentLog, testFilters } from './testing/fixture.ts'

describe('fan-out', () => {
  it('starts the healthy rules of a fire at once although another cannot be decided', async () => {
    const { fire, sent, clock } = await setUp({ bad: () => new Error('damaged') })
    await fire('1', ['good', 'bad'])
    await clock.advance(0)
    expect(sent()).toEqual(['good'])
    await clock.advance(60_000)
    expect(sent()).toEqual(['good'])
  })

  it('ends a rule that no attempt can decide as one dead letter with a whisk error, and settles its fire', async () => {
    const { fire, backend, clock, counts } = await setUp({ bad: () => new Error('damaged') })
    await fire('1', ['good', 'bad'])
    await clock.advance(1000)
    expect(await backend.activations.get('ns', fireId('1'))).toBeUndefined()
    await clock.advance(60_000)
    const trigger = await backend.activations.get('ns', fireId('1'))
    const dead = childIdOf(fireId('1'), 'bad', 0)
    expect(trigger?.sluice?.runs).toEqual([
      { rule: 'ns/good', activationId: childIdOf(fireId('1'), 'good', 0) },
      { rule: 'ns/bad', activationId: dead },
    ])
    expect(await backend.activations.get('ns', dead)).toMatchObject({
      name: 'bad',
      response: { statusCode: 3 },
      sluice: { deadLettered: true, rule: 'ns/bad', fireId: fireId('1') },
    })
    const letters = await backend.state.scan({ prefix: 'deadletters/ns/', limit: 10 })
    expect(letters.map(({ value }) => value)).toMatchObject([
      { activationId: dead, rule: 'ns/bad', action: 'ns/bad', fire: { rules: [{ rule: 'ns/bad' }] } },
    ])
    expect(counts()).toMatchObject([{ runs: 1, failed: 1, deadLettered: 1, refused: 0 }])
  })

  it('goes on with other fires meanwhile', async () => {
    const { fire, sent, clock } = await setUp({ bad: () => new Error('damaged') })
    await fire('1', ['bad'])
    await fire('2', ['good'])
    await clock.advance(0)
    expect(sent()).toEqual(['good'])
  })

  it('waits for a store that is away for as long as hours, and then runs the rule', async () => {
    let away = true
    const { fire, sent, clock, backend } = await setUp({
      bad: () => (away ? new SluiceError('SLUICE_STORE_UNAVAILABLE', 'away') : undefined),
    })
    await fire('1', ['good', 'bad'])
    await clock.advance(3_600_000)
    expect(sent()).toEqual(['good'])
    away = false
    await clock.advance(60_000)
    expect(sent()).toEqual(['good', 'bad'])
    expect(await backend.state.scan({ prefix: 'deadletters/', limit: 10 })).toEqual([])
  })

  it('gives up on a store that is away for more than six hours', async () => {
    const { fire, clock, backend } = await setUp({
      bad: () => new SluiceError('SLUICE_STORE_UNAVAILABLE', 'away'),
    })
    await fire('1', ['bad'])
    await clock.advance(6 * 3_600_000 + 120_000)
    expect(await backend.state.scan({ prefix: 'deadletters/', limit: 10 })).toHaveLength(1)
  })

  it.each([
    ['no JSON', '{"fireId":'],
    ['no fire record', '{"hello":"world"}'],
    ['null', 'null'],
  ])('sets aside a message that is %s, and goes on', async (_, text) => {
    const { backend, fire, sent, clock, quarantined } = await setUp({})
    await backend.bus.publish(topics.fires, [{ key: 'k', body: Buffer.from(text) }])
    await fire('2', ['good'])
    await clock.advance(0)
    expect(sent()).toEqual(['good'])
    expect(quarantined()).toBe(1)
    const kept: string[] = []
    await backend.bus.subscribe(
      topics.quarantine,
      { group: 'test', from: 'earliest', concurrency: 1, order: 'none' },
      async ({ body, headers }) => void kept.push(`${headers['sluice-topic']} ${Buffer.from(body).toString()}`),
    )
    await clock.advance(0)
    expect(kept).toEqual([`fires ${text}`])
    expect(await depth(backend)).toBe(0)
  })

  it('sets aside a fire whose payload is no JSON, after the attempts', async () => {
    const { backend, fire, clock, quarantined } = await setUp({})
    await fire('1', ['good'], { payload: '{' })
    await clock.advance(60_000)
    expect(quarantined()).toBe(1)
    expect(await depth(backend)).toBe(0)
  })

  it('answers refusals in the record of the trigger, as before', async () => {
    const { fire, clock, backend, counts } = await setUp({ gone: () => new ApiError(404, 'gone') })
    await fire('1', ['gone'])
    await clock.advance(0)
    expect((await backend.activations.get('ns', fireId('1')))?.sluice?.runs).toEqual([
      { rule: 'ns/gone', refused: true },
    ])
    expect(counts()).toMatchObject([{ runs: 0, refused: 1, failed: 0 }])
  })

  it('tells which runs of an event that was accepted again had their record already', async () => {
    const { fire, clock, backend, counts, settle } = await setUp({})
    await fire('1', ['good', 'better'])
    await clock.advance(0)
    await backend.activations.insert(settle(childIdOf(fireId('1'), 'good', 0)))
    await fire('1', ['good', 'better'])
    await clock.advance(0)
    expect(counts().map(({ repeated }) => repeated)).toEqual([0, 1])
  })
})

async function setUp(troubles: Record<string, () => Error | undefined>) {
  const clock: ManualClock = manualClock()
  const backend = openMemoryBackend({ clock, random: systemRandom })
  onTestFinished(() => backend.close())
  const published: ActivationMessage[] = []
  const counted: FanOutCounts[] = []
  let setAside = 0
  const resolver: ActionResolver = {
    async resolve(_identity, name) {
      const trouble = troubles[name.name]?.()
      if (trouble) throw trouble
      return action(name.name)
    },
  }
  const tail = createRecordTail(error => {
    throw error
  })
  const fanOut = createFanOut({
    bus: backend.bus,
    activations: backend.activations,
    state: backend.state,
    balancer: {
      invoke: () => {
        throw new Error('rules do not block')
      },
      publish: async messages => void published.push(...messages),
      inFlight: () => 0,
      unready: () => undefined,
    },
    resolver,
    clock,
    log: silentLog,
    jsonata: testFilters().jsonata,
    tail,
    observe: { fannedOut: (_fire, counts) => void counted.push(counts), quarantined: () => void setAside++ },
  })
  await fanOut.start()
  onTestFinished(() => fanOut.stop())

  async function fire(id: string, rules: readonly string[], changes: Partial<FireRecord> = {}): Promise<void> {
    const record: FireRecord = {
      fireId: fireId(id),
      transid: 't',
      trigger: { namespace: 'ns', name: 'trigger', version: '0.0.1', parameters: [] },
      user: { subject: 'ns', namespace: { name: 'ns', uuid: 'u' }, limits: {} },
      acceptedAtMs: clock.nowMs(),
      payload: '{"a":1}',
      headers: {},
      event: {},
      rules: rules.map(rule => ({ rule: `ns/${rule}`, action: `ns/${rule}`, decision: 'run' })),
      ...changes,
    }
    await backend.bus.publish(topics.fires, [{ key: 'ns/trigger', body: Buffer.from(JSON.stringify(record)) }])
  }

  return {
    clock,
    backend,
    fire,
    sent: () => published.map(({ action: { id } }) => id.slice(3)),
    counts: () => counted,
    quarantined: () => setAside,
    settlement: createSettlementService({ activations: backend.activations, tail, clock }),
    settle: (activationId: string): ActivationRecord => ({
      namespace: 'ns',
      name: 'good',
      version: '0.0.1',
      subject: 'ns',
      activationId,
      start: 1,
      end: 2,
      duration: 1,
      response: { statusCode: 0 },
      logs: [],
      annotations: [],
      publish: false,
    }),
  }
}

function fireId(id: string): string {
  return id.repeat(32)
}

async function depth(backend: Backend): Promise<number> {
  let waiting = 0
  for await (const _ of await backend.bus.waiting(topics.fires, groups.fanOut)) waiting++
  return waiting
}

function action(name: string): ResolvedAction {
  return {
    name: { path: 'ns', name },
    id: `ns/${name}`,
    revision: '1',
    action: {
      name,
      version: '0.0.1',
      exec: { kind: 'nodejs:20' },
      annotations: [],
      parameters: [],
    } as unknown as ResolvedAction['action'],
    parameters: [],
    owner: 'ns',
  }
}
