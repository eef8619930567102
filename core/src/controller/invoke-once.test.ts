import { describe, expect, it, onTestFinished } from 'vitest'
import { manualClock, settled } from '../../contract/manual-clock.ts'
import { openMemoryBackend } from '../backend/memory/index.ts'
import { bounds, SluiceError, type ActivationMessage, type ActivationRecord } from '../model/index.ts'
import { createRecordTail, systemRandom, type LoadBalancer } from '../spi/index.ts'
import { createInvokeService } from './invoke-service.ts'
import type { InvokeCall } from './services.ts'

describe('an invoke with an Idempotency-Key', () => {
  it('is done once for all that send the same key, and answers all the same [rel:R22]', async () => {
    const { invoke, sent, finish } = setUp()
    const answers = [invoke({ blocking: true }), invoke({ blocking: true })]
    await settled()
    const early = await invoke({ blocking: false })
    finish()
    answers.push(invoke({ blocking: true }))
    const all = await Promise.all(answers)
    expect(sent).toHaveLength(1)
    expect(new Set([early, ...all].map(({ activationId }) => activationId)).size).toBe(1)
    expect(all.map(({ record }) => record?.response)).toEqual(Array(3).fill({ statusCode: 0, result: { turn: 1 } }))
  })

  it('is done once when it does not block, and when the hub was started again in between [rel:R22]', async () => {
    const backend = open()
    const first = setUp(backend)
    const { activationId } = await first.invoke({})
    const second = setUp(backend)
    expect(await second.invoke({})).toEqual({ activationId })
    expect([first.sent.length, second.sent.length]).toEqual([1, 0])
    const waiting = second.invoke({ blocking: true })
    await settled()
    second.finish(activationId)
    expect((await waiting).record?.activationId).toBe(activationId)
  })

  it('says which messages may come twice to the invoker', async () => {
    const { invoke, sent } = setUp()
    await invoke({})
    await invoke({ idempotencyKey: undefined })
    expect(sent.map(({ origin }) => origin)).toEqual([{ kind: 'direct', identified: true }, { kind: 'direct' }])
  })

  it('is another one for another key, action or namespace', async () => {
    const { invoke, sent } = setUp()
    await invoke({})
    await invoke({ idempotencyKey: 'k2' })
    await invoke({ action: action('other') })
    await invoke({ identity: identity('other') })
    expect(new Set(sent.map(({ activationId }) => activationId)).size).toBe(4)
  })

  it('is 422 with another payload, at the same time and later', async () => {
    const { invoke, sent } = setUp()
    const first = invoke({})
    await expect(invoke({ payload: '{"b":1}' })).rejects.toMatchObject({ status: 422 })
    await first
    await expect(invoke({ payload: '{"b":1}' })).rejects.toMatchObject({ status: 422 })
    expect(sent).toHaveLength(1)
  })

  it('may be tried again when it was not accepted', async () => {
    const { invoke, sent, refuse } = setUp()
    for (const blocking of [false, true]) {
      refuse(new SluiceError('SLUICE_OVERLOADED', 'full'))
      await expect(invoke({ blocking, waitMs: 0 })).rejects.toMatchObject({ code: 'SLUICE_OVERLOADED' })
    }
    refuse(undefined)
    await invoke({})
    expect(sent).toHaveLength(1)
  })

  it('is not done again while it runs although its identity could not be written', async () => {
    const backend = open()
    const { invoke, sent, finish } = setUp(backend)
    const put = backend.state.put.bind(backend.state)
    backend.state.put = () => Promise.reject(new SluiceError('SLUICE_OVERLOADED', 'full'))
    await expect(invoke({ blocking: true })).rejects.toMatchObject({ code: 'SLUICE_OVERLOADED' })
    backend.state.put = put
    await expect(invoke({ blocking: true })).rejects.toMatchObject({ code: 'SLUICE_OVERLOADED' })
    finish()
    await settled()
    expect((await invoke({ blocking: true })).record?.response.result).toEqual({ turn: 1 })
    expect(sent).toHaveLength(1)
  })

  it('meets its record when the identity is forgotten, and is new when both are', async () => {
    const { invoke, sent, finish, clock, backend } = setUp()
    const first = invoke({ blocking: true })
    await settled()
    finish()
    const { activationId } = await first
    await clock.advance(bounds.fire.identityTtlMs + 1)
    expect((await invoke({ blocking: true })).activationId).toBe(activationId)
    expect(sent).toHaveLength(1)
    await backend.activations.prune(Infinity, 10)
    await invoke({})
    expect(sent).toHaveLength(2)
  })

  it('waits no longer than it is told', async () => {
    const { invoke, clock } = setUp()
    await invoke({})
    const waiting = invoke({ blocking: true, waitMs: 1000 })
    await settled()
    await clock.advance(1000)
    expect((await waiting).record).toBeUndefined()
  })
})

function open() {
  const clock = manualClock()
  const backend = openMemoryBackend({ clock, random: systemRandom })
  onTestFinished(() => backend.close())
  return { ...backend, clock }
}

function setUp(backend = open()) {
  const { clock, activations, state } = backend
  const sent: ActivationMessage[] = []
  const outcomes = new Map<string, (record: ActivationRecord) => void>()
  const tail = createRecordTail(error => {
    throw error
  })
  let refusal: Error | undefined
  const balancer: LoadBalancer = {
    invoke(message) {
      if (refusal) throw refusal
      sent.push(message)
      return {
        accepted: Promise.resolve(),
        outcome: new Promise(done => outcomes.set(message.activationId, done)),
      }
    },
    async publish(messages) {
      if (refusal) throw refusal
      sent.push(...messages)
    },
    inFlight: () => 0,
    unready: () => undefined,
  }
  const keyRing = { encrypt: String, decrypt: String, hash: String, matches: () => true }
  const once = { activations, state, tail, clock }
  const service = createInvokeService({ balancer, clock, random: systemRandom, keyRing, once })
  let turn = 0

  return {
    backend,
    clock,
    sent,
    refuse: (error: Error | undefined) => void (refusal = error),
    invoke: (changes: Partial<InvokeCall>) =>
      service.invoke({
        identity: identity('guest'),
        action: action('hello'),
        payload: '{"a":1}',
        payloadKeys: ['a'],
        blocking: false,
        waitMs: 60_000,
        transid: 't',
        idempotencyKey: 'k1',
        extraLogging: false,
        ...changes,
      }),
    /** Writes the record of the run, or of the first one that was sent. */
    finish(activationId = sent[0]?.activationId ?? '') {
      const record = {
        ...{ namespace: 'guest', name: 'hello', version: '0.0.1', subject: 'guest', activationId, start: 1, end: 2 },
        ...{ duration: 1, response: { statusCode: 0, result: { turn: ++turn } }, logs: [], annotations: [] },
        publish: false,
      } as ActivationRecord
      void activations.insert(record).then(() => {
        outcomes.get(activationId)?.(record)
        tail.tell(record)
      })
    },
  }
}

function identity(namespace: string): InvokeCall['identity'] {
  return { limits: {}, namespace: { name: namespace, uuid: 'u' } } as InvokeCall['identity']
}

function action(name: string): InvokeCall['action'] {
  const document = { version: '0.0.1', exec: { kind: 'nodejs:20' } }
  return {
    name: { path: 'guest', name },
    ...{ id: `guest/${name}`, revision: '1', parameters: [], owner: 'guest', action: document },
  } as unknown as InvokeCall['action']
}
