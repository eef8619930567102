import { expect, it } from 'vitest'
import type { ActivationMessage, Identity } from '../model/index.ts'
import type { KeyRing, LoadBalancer } from '../spi/index.ts'
import { systemClock, systemRandom } from '../spi/index.ts'
import { createInvokeService } from './invoke-service.ts'
import type { InvokeCall, ResolvedAction } from './services.ts'

const secret = 'S'.repeat(64)
const key = `11111111-1111-4111-8111-111111111111:${secret}`

/** Hides the text, and opens it under the same binding only. */
const keyRing: KeyRing = {
  encrypt: (plain, bind) => `${bind}|${Buffer.from(plain).toString('base64')}`,
  decrypt(text, bind) {
    if (!text.startsWith(`${bind}|`)) throw new Error('belongs elsewhere')
    return Buffer.from(text.slice(bind.length + 1), 'base64').toString()
  },
  hash: text => text,
  matches: () => false,
}

it.each([true, false])('[sec:S14] locks the key of a feed on its way to the invoker, blocking: %j', async blocking => {
  const message = await sentFor(
    '{"lifecycleEvent":"CREATE","n":12345678901234567890,"authKey":"' + key + '"}',
    blocking,
  )
  expect(JSON.stringify(message)).not.toContain(secret)
  expect(message.content).toContain('"n":12345678901234567890')
  const bind = `activation:${message.activationId}:authKey`
  expect(message.lockedArgs).toEqual([{ key: 'authKey', bind }])
  const { authKey } = JSON.parse(message.content) as { authKey: string }
  expect(JSON.parse(keyRing.decrypt(authKey, bind))).toBe(key)
})

it('leaves other payloads as they came', async () => {
  for (const text of ['{ "key" : 1.0 }', '{"authKey":7}', '{}']) {
    const message = await sentFor(text, false)
    expect(message.content).toBe(text)
    expect(message.lockedArgs).toBeUndefined()
  }
})

async function sentFor(payload: string, blocking: boolean): Promise<ActivationMessage> {
  const sent: ActivationMessage[] = []
  const balancer: LoadBalancer = {
    invoke(message) {
      sent.push(message)
      return { accepted: Promise.resolve(), outcome: new Promise(() => undefined) }
    },
    publish: async messages => void sent.push(...messages),
    inFlight: () => 0,
    unready: () => undefined,
  }
  const service = createInvokeService({ balancer, clock: systemClock, random: systemRandom, keyRing })
  await service.invoke({
    identity: { limits: {} } as Identity,
    action: { id: 'ns/feed', revision: '1', parameters: [], action: { version: '0.0.1', exec: { kind: 'nodejs:20' } } },
    payload,
    payloadKeys: Object.keys(JSON.parse(payload) as object),
    blocking,
    waitMs: 0,
    transid: 't',
    extraLogging: false,
  } as unknown as InvokeCall & { action: ResolvedAction })
  return sent[0] as ActivationMessage
}
