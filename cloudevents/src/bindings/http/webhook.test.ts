/** The webhook handshake, by the shared conformance data where that is there. */
import { describe, expect, it } from 'vitest'
import { answerWebhookHandshake, type WebhookPolicy } from '../../index.ts'
import { casesOf, conformanceIsThere, type Case } from '../../testing/conformance.ts'

type Handshake = Omit<Case, 'expect' | 'headers'> & {
  request: { method: string; headers: Record<string, string> }
  policy: WebhookPolicy & { origins?: string[] }
  expect?: {
    headers?: Record<string, string>
    headerContains?: Record<string, string>
    notEchoed?: Record<string, string>
    absentHeaders?: string[]
  }
}

describe.skipIf(!conformanceIsThere)('conformance/cloudevents/http-webhook.json', () => {
  const all = casesOf('http-webhook.json')
  // The others say how a target answers deliveries, which is the affair of the server.
  const cases = all.filter(one => one.kind === 'handshake') as unknown as Handshake[]
  it('has all cases at hand', () => {
    expect(all.length).toBeGreaterThanOrEqual(11)
    expect(cases.length).toBeGreaterThanOrEqual(5)
  })

  for (const { name, request, policy, expect: expected = {} } of cases) {
    it(name, () => {
      const answer = answerWebhookHandshake(request.headers, { ...policy, origins: policy.origins ?? ['*'] })
      const headers = answer?.headers ?? {}
      expect(headers).toMatchObject(expected.headers ?? {})
      for (const [header, part] of Object.entries(expected.headerContains ?? {}))
        expect(headers[header]).toContain(part)
      for (const [header, value] of Object.entries(expected.notEchoed ?? {})) expect(headers[header]).not.toBe(value)
      for (const header of expected.absentHeaders ?? []) expect(headers).not.toHaveProperty(header)
    })
  }
})

const asked = { 'webhook-request-origin': 'a.example', 'webhook-request-rate': '50' }

it('grants what is asked, but no more than the policy', () => {
  const rate = (policy: Partial<WebhookPolicy>, request: object = asked) =>
    answerWebhookHandshake({ ...request }, { origins: ['*'], ...policy })?.headers['WebHook-Allowed-Rate']
  expect([rate({ rate: 100 }), rate({ rate: 20 }), rate({})]).toEqual(['50', '20', '50'])
  const noRate = { 'webhook-request-origin': 'a.example' }
  expect([rate({ rate: 100 }, noRate), rate({}, noRate)]).toEqual(['100', '*'])
})

it('grants nothing to strangers, and answers nothing to what is no handshake', () => {
  const answer = answerWebhookHandshake(asked, { origins: ['b.example'] })
  expect(answer).toEqual({ granted: false, headers: { Allow: 'POST' }, callback: undefined })
  expect(answerWebhookHandshake({}, { origins: ['*'] })).toBeUndefined()
})

it('names a callback only where the policy grants by one', () => {
  const request = { ...asked, 'webhook-request-callback': 'https://a.example/ok?id=1' }
  const later = { origins: ['*'], grantByCallback: true }
  expect(answerWebhookHandshake(request, later)?.callback).toBe('https://a.example/ok?id=1')
  expect(
    answerWebhookHandshake({ ...request, 'webhook-request-callback': 'file:///x' }, later)?.callback,
  ).toBeUndefined()
  expect(answerWebhookHandshake(request, { origins: ['*'] })?.callback).toBeUndefined()
})
