import { describe, expect, it } from 'vitest'
import type { ActivationMessage, ActivationRecord } from '@sluice/core/model'
import { createRecordTail, type Invocation, type MessageBus } from '@sluice/core/spi'
import { createLocalBalancer } from './local-balancer.ts'

describe('the balancer of a hub in one process', () => {
  it('refuses non-blocking invokes of a namespace with a full backlog, until one of them has its record', async () => {
    const { balancer, settle } = setUp({ backlogMax: 2, backlogBytesMax: 1_000_000 })
    await balancer.publish([message('1')])
    await balancer.publish([message('2')])
    await expect(balancer.publish([message('3')])).rejects.toMatchObject({ code: 'SLUICE_OVERLOADED' })
    await balancer.publish([message('4', 'other')])
    settle('1')
    await balancer.publish([message('5')])
  })

  it('counts the bytes of the backlog too', async () => {
    const { balancer, settle } = setUp({ backlogMax: 100, backlogBytesMax: 1000 })
    await balancer.publish([message('1', 'ns', 'x'.repeat(1000))])
    await expect(balancer.publish([message('2')])).rejects.toMatchObject({ code: 'SLUICE_OVERLOADED' })
    settle('1')
    await balancer.publish([message('3')])
  })

  it('bounds neither runs of rules nor what is run at once', async () => {
    const { balancer } = setUp({ backlogMax: 0, backlogBytesMax: 0 })
    const rule = { kind: 'rule', fireId: 'f', rule: 'ns/r', round: 0 } as const
    await balancer.publish([
      { ...message('1'), origin: rule },
      { ...message('2'), origin: rule },
    ])
    balancer.invoke(message('3'))
    expect(balancer.inFlight('ns')).toBe(1)
  })

  it('charges nobody for what the bus did not take', async () => {
    const { balancer, bus } = setUp({ backlogMax: 1, backlogBytesMax: 1000 })
    bus.fail = true
    await expect(balancer.publish([message('1')])).rejects.toThrow('no disk')
    bus.fail = false
    await balancer.publish([message('2')])
    expect(balancer.inFlight('ns')).toBe(1)
  })

  it('marks each message by its namespace, by which invokers share themselves out', async () => {
    const { balancer, bus } = setUp()
    await balancer.publish([message('1', 'alice'), message('2', 'bob')])
    expect(bus.keys).toEqual(['alice', 'bob'])
  })
})

function setUp(limits?: { backlogMax: number; backlogBytesMax: number }) {
  const tail = createRecordTail(error => {
    throw error
  })
  const bus = { fail: false, keys: [] as (string | undefined)[] }
  const publish: MessageBus['publish'] = (_topic, messages) => {
    if (bus.fail) return Promise.reject(new Error('no disk'))
    bus.keys.push(...messages.map(({ key }) => key))
    return Promise.resolve()
  }
  const invocation: Invocation = { accepted: Promise.resolve(), outcome: new Promise(() => undefined) }
  const balancer = createLocalBalancer({
    bus: { publish } as unknown as MessageBus,
    invoker: { run: () => invocation },
    instance: 0,
    tail,
    ...(limits ? { limits } : {}),
  })
  return { balancer, bus, settle: (activationId: string) => tail.tell({ activationId } as ActivationRecord) }
}

function message(activationId: string, namespace = 'ns', content = '{}'): ActivationMessage {
  return {
    activationId,
    transid: 't',
    action: { id: `${namespace}/hello`, version: '0.0.1', revision: '' },
    user: { subject: 's', namespace: { name: namespace, uuid: namespace }, limits: {} },
    blocking: false,
    content,
    acceptedAtMs: 0,
    origin: { kind: 'direct' },
  }
}
