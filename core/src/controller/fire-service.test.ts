import { describe, expect, it, onTestFinished } from 'vitest'
import { manualClock } from '../../contract/manual-clock.ts'
import { openMemoryBackend } from '../backend/memory/index.ts'
import { groups, topics, type ActivationRecord, type RecordBookkeeping } from '../model/index.ts'
import { createRecordTail, systemRandom, type Backend, type RecordTail } from '../spi/index.ts'
import { testFilters } from './testing/fixture.ts'
import { createFireService, type FireAcceptor } from './fire-service.ts'
import type { FireCall } from './services.ts'
import { createSettlementService } from './settlement.ts'

describe('the backlog of fires', () => {
  it('refuses a fire when as many runs wait as may, and takes the next after one was settled', async () => {
    const { fire, tail } = await setUp({ backlogMax: 4 })
    await fire(2)
    await fire(2)
    await expect(fire(1)).rejects.toMatchObject({ code: 'SLUICE_BACKLOG', status: 429 })
    tail.tell(recordOf('run', { fireId: 'f', rule: 'guest/r0', round: 0 }))
    await fire(1)
  })

  it('counts refused runs as settled, which have no record of their own', async () => {
    const { fire, tail, service } = await setUp({ backlogMax: 4 })
    for (let turn = 0; turn < 10; turn++) {
      const fireId = await fire(2)
      const runs = [
        { rule: 'guest/r0', refused: true },
        { rule: 'guest/r1', activationId: 'run' },
      ]
      tail.tell(recordOf(fireId, { fireId, runs }))
      tail.tell(recordOf('run', { fireId, rule: 'guest/r1', round: 0 }))
    }
    expect(service.pending()).toBe(0)
  })

  it('does not count a replay of a run', async () => {
    const { fire, tail, service } = await setUp({})
    await fire(1)
    tail.tell(recordOf('replayed', { fireId: 'f', rule: 'guest/r0', round: 1 }))
    expect(service.pending()).toBe(1)
  })

  it('refuses a fire when as many bytes wait as may', async () => {
    const { fire, tail } = await setUp({ backlogBytesMax: 20_000 })
    const fireId = await fire(1, { text: 'x'.repeat(25_000) })
    await expect(fire(1)).rejects.toMatchObject({ code: 'SLUICE_BACKLOG' })
    tail.tell(recordOf('run', { fireId, rule: 'guest/r0', round: 0 }))
    await fire(1)
  })

  it('takes back what could not be published', async () => {
    const { fire, service, backend } = await setUp({})
    backend.bus.publish = () => Promise.reject(new Error('away'))
    await expect(fire(2)).rejects.toThrow('away')
    expect(service.pending()).toBe(0)
  })

  it('begins with what the last process left: fires not fanned out, runs not settled', async () => {
    const backend = openBackend()
    const fired = {
      fireId: 'f'.repeat(32),
      rules: [{ decision: 'run' }, { decision: 'run' }, { decision: 'inactive' }],
    }
    await publish(backend, topics.fires, {
      ...fired,
      trigger: { namespace: 'guest', name: 't' },
      payload: '{}',
      ...user,
    })
    await publish(backend, topics.invoker(0), { activationId: '1', ...user, origin: { kind: 'rule', round: 0 } })
    await publish(backend, topics.invoker(0), { activationId: '2', ...user, origin: { kind: 'direct' } })
    await backend.bus.publish(topics.invoker(0), [{ body: Buffer.from('{') }])
    const { service, tail, fire } = await setUp({ backlogMax: 3 }, backend)
    await service.counted()
    expect(service.pending()).toBe(3)
    await expect(fire(1)).rejects.toMatchObject({ code: 'SLUICE_BACKLOG' })
    for (let run = 0; run < 3; run++) tail.tell(recordOf(`${run}`, { fireId: 'f', rule: 'guest/r', round: 0 }))
    expect(service.pending()).toBe(0)
  })
})

describe('settlement of a fire without a record', () => {
  it('is 404 at once for an id that never was, however long one would wait', async () => {
    const { settlement } = await setUp({})
    expect(await settlement.get('guest', '0'.repeat(32), 60_000)).toBeUndefined()
  })

  it('is not settled while the fire waits to be fanned out, here or in another namespace unknown', async () => {
    const { settlement, fire } = await setUp({})
    const fireId = await fire(1)
    expect(await settlement.get('guest', fireId, 0)).toEqual({ settled: false, runs: [], deadLetters: [] })
    expect(await settlement.get('other', fireId, 0)).toBeUndefined()
  })

  it('knows the fires that the last process left', async () => {
    const backend = openBackend()
    const first = await setUp({}, backend)
    const fireId = await first.fire(1)
    const second = await setUp({}, backend)
    expect(await second.settlement.get('guest', fireId, 0)).toMatchObject({ settled: false })
  })

  it('waits for the record of a fire that was accepted', async () => {
    const { settlement, fire, tail, backend } = await setUp({})
    const fireId = await fire(1)
    const waiting = settlement.get('guest', fireId, 60_000)
    const record = recordOf(fireId, { fireId, runs: [{ rule: 'guest/r0', refused: true }] })
    await backend.activations.insert(record)
    tail.tell(record)
    expect(await waiting).toEqual({ settled: true, runs: [], deadLetters: [] })
  })
})

const user = { user: { namespace: { name: 'guest', uuid: 'u' } } }

function openBackend(): Backend {
  const backend = openMemoryBackend({ clock: manualClock(), random: systemRandom })
  onTestFinished(() => backend.close())
  return backend
}

async function publish(backend: Backend, topic: string, value: unknown): Promise<void> {
  await backend.bus.publish(topic, [{ body: Buffer.from(JSON.stringify(value)) }])
}

async function setUp(limits: { backlogMax?: number; backlogBytesMax?: number }, backend: Backend = openBackend()) {
  const clock = manualClock()
  const tail: RecordTail = createRecordTail(error => {
    throw error
  })
  const service: FireAcceptor = createFireService({
    bus: backend.bus,
    state: backend.state,
    clock,
    random: systemRandom,
    tail,
    filters: testFilters(),
    sources: [
      { topic: topics.fires, group: groups.fanOut },
      { topic: topics.invoker(0), group: groups.invoker(0) },
    ],
    limits: { backlogMax: 1000, backlogBytesMax: 1_000_000, ...limits },
  })
  await service.start()
  const settlement = createSettlementService({ activations: backend.activations, fires: service, tail, clock })

  /** Fires a trigger with that many rules; gives the fire's id. */
  async function fire(rules: number, payload: object = {}): Promise<string> {
    const link = { action: { path: 'guest', name: 'a' }, status: 'active' }
    const trigger = {
      namespace: 'guest',
      name: 't',
      version: '0.0.1',
      parameters: [],
      rules: Object.fromEntries(Array.from({ length: rules }, (_, at) => [`guest/r${at}`, link])),
    } as unknown as FireCall['trigger']
    const identity = user.user as unknown as FireCall['identity']
    const fired = await service.fire({ identity, trigger, payload: JSON.stringify(payload), headers: {}, transid: 't' })
    return fired?.activationId ?? ''
  }

  return { backend, service, settlement, tail, fire }
}

function recordOf(activationId: string, sluice: RecordBookkeeping): ActivationRecord {
  return {
    namespace: 'guest',
    name: 't',
    version: '0.0.1',
    subject: 'guest',
    activationId,
    start: 1,
    response: { statusCode: 0, result: {} },
    logs: [],
    annotations: [],
    publish: false,
    sluice,
  }
}
