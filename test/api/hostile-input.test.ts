import { connect } from 'node:net'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { deleteEntities, type Api } from '../rig/api.ts'
import { amountOf, answerMsMax, tellsInside } from '../rig/hostile-answers.ts'
import { hostileRequest, type HostileRequest } from '../rig/hostile-requests.ts'
import { openHubUnderTest, type HubUnderTest } from '../rig/hub-under-test.ts'
import { seededRandom } from '../rig/seeded-random.ts'

/** reliability.md S3 and S5 against a whole hub. A find is repeated from its seed. */

const { seed, cases } = amountOf({ seed: 20_261_125, cases: 300 })

let hub: HubUnderTest
let api: Api

beforeAll(async () => {
  hub = await openHubUnderTest()
  api = hub.mine.api
  const exec = { kind: 'nodejs:default', code: 'function main(args) { return args }' }
  for (const [path, body] of [
    ['actions/echo', { exec }],
    ['triggers/events', {}],
    ['rules/on-events', { trigger: '/_/events', action: '/_/echo' }],
  ] as const) {
    expect((await api.call('PUT', path, { body })).status).toBe(200)
  }
  // The first run of a feed action starts its container; that is not what is measured here.
  for (const feed of ['alarm', 'interval', 'once']) {
    await api.call('POST', `/api/v1/namespaces/whisk.system/actions/alarms/${feed}?blocking=true`, { body: {} })
  }
})
afterAll(async () => {
  if (api !== undefined) await deleteEntities(api)
  for (const { name } of (await api?.call('GET', 'packages?limit=200'))?.body ?? []) {
    await api.call('DELETE', `packages/${encodeURIComponent(name)}?force=true`)
  }
  await hub?.close()
})

describe('hostile requests', () => {
  it(`[sec:S3] [sec:S5] are refused or taken as data, quickly, and the next request is served (${cases} from seed ${seed})`, async () => {
    const random = seededRandom(seed)
    const findings: string[] = []
    for (let number = 0; number < cases; number++) {
      const hostile = hostileRequest(random)
      const sentMs = performance.now()
      const answer = await send(hostile)
      const tookMs = performance.now() - sentMs
      const note = (what: string): void =>
        void findings.push(`#${number} ${what}: ${hostile.title}\n${answer.slice(0, 300)}`)
      const status = Number(/^HTTP\/1\.1 (\d{3})/.exec(answer)?.[1] ?? 0)
      if (status >= 500 && !isRunAnswer(answer)) note(`status ${status}`)
      if (status === 0 && hostile.cutAt === undefined) note('no answer')
      if (tookMs > answerMsMax) note(`${Math.round(tookMs)} ms`)
      // 417 is the HTTP library's, before it is a request.
      if (status >= 400 && status < 500 && status !== 417 && !isEnvelope(answer)) note('no envelope')
      if (tellsInside(answer) && !isRunAnswer(answer)) note('inside told')
      if ((await api.call('GET', '/ping', { auth: null, timeoutMs: answerMsMax })).text !== 'pong') note('next request')
    }
    expect(findings).toEqual([])
  }, 150_000)

  it('[sec:S5] leave nothing behind in what all objects share', async () => {
    const { text } = await api.call('POST', 'actions/echo?blocking=true&result=true', { body: {} })
    expect(text).toBe('{}')
    const { body } = await api.call('PUT', 'triggers/plain', { body: {} })
    const fields = ['annotations', 'limits', 'name', 'namespace', 'parameters', 'publish', 'updated', 'version']
    expect(Object.keys(body).sort()).toEqual(fields)
    for (const list of ['actions', 'triggers', 'rules', 'packages', 'activations']) {
      expect((await api.call('GET', `${list}?limit=200`)).status).toBe(200)
    }
  })

  it('leave the hub ready', async () => {
    expect((await api.call('GET', '/readyz', { auth: null })).status).toBe(200)
  })
})

/** What an action answered: its errors are 502, and their texts are the action's. */
function isRunAnswer(answer: string): boolean {
  return /^HTTP\/1\.1 502/.test(answer) && /\r\nx-openwhisk-activation-id: [0-9a-f]{32}\r\n/i.test(answer)
}

function isEnvelope(answer: string): boolean {
  try {
    const { error, code } = JSON.parse(answer.slice(answer.indexOf('\r\n\r\n') + 4)) as Record<string, unknown>
    return typeof error === 'string' && typeof code === 'string'
  } catch {
    return false
  }
}

/** Everything that came back until the connection ended. */
function send({ head, body, cutAt }: HostileRequest): Promise<string> {
  const { hostname, port, host } = new URL(hub.url)
  const authorization = `Basic ${Buffer.from(hub.mine.auth).toString('base64')}`
  const text = head.replaceAll('HOST', host).replaceAll('AUTH', authorization)
  return new Promise(done => {
    const chunks: Buffer[] = []
    const socket = connect(Number(port), hostname)
    const finish = (): void => {
      clearTimeout(timer)
      socket.destroy()
      done(Buffer.concat(chunks).toString('latin1'))
    }
    const timer = setTimeout(finish, 5 * answerMsMax)
    socket.on('data', chunk => chunks.push(chunk))
    socket.on('error', finish).on('close', finish)
    socket.write(Buffer.from(text, 'latin1'))
    if (cutAt === undefined) socket.write(body)
    else socket.write(body.subarray(0, cutAt), () => setImmediate(finish))
  })
}
