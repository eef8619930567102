import {
  createEvent,
  encodeAvro,
  encodeHttpBatch,
  encodeHttpBinary,
  encodeJson,
  encodeProtobuf,
  encodeXml,
  jsonData,
  type CloudEvent,
} from '@sluice/cloudevents'
import {
  brokenDefinition,
  brokenText,
  cesqlPieces,
  jsonataPieces,
  mutate,
  randomFilter,
  seeded,
  type Next,
} from '@sluice/cloudevents/testing'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { deleteEntities, putEntity, type Answer, type Api } from '../rig/api.ts'
import { amountOf, answerMsMax, tellsInside } from '../rig/hostile-answers.ts'
import { openHubUnderTest, type HubUnderTest } from '../rig/hub-under-test.ts'

/**
 * Broken events and filters at the routes that take them (reliability.md S3): taken or refused with an envelope, soon, and
 * the next request is served. The decoders and languages alone are fed 10,000 in the package `cloudevents`.
 */

const { seed: firstSeed, cases } = amountOf({ seed: 20_261_130, cases: 400 })

let hub: HubUnderTest
let api: Api

beforeAll(async () => {
  hub = await openHubUnderTest()
  api = hub.mine.api
  await putEntity(api, 'actions/none', { exec: { kind: 'nodejs:default', code: 'const main = () => ({})' } })
  await putEntity(api, 'triggers/taking', {
    annotations: [{ key: 'accepts', value: { pattern: { data: { a: [1] } } } }],
  })
  await putEntity(api, 'rules/looking', {
    trigger: '/_/taking',
    action: '/_/none',
    // None passes: what is tried is how events are read and looked at.
    annotations: [
      {
        key: 'filter',
        value: { all: [{ sql: "type = 'none'" }, { pattern: { data: { a: [{ wildcard: '*b*' }] } } }] },
      },
    ],
  })
})
afterAll(async () => {
  if (api !== undefined) await deleteEntities(api)
  await hub?.close()
})

let drawn = 0
/** A new one at each call: the same one again would be answered without being looked at. */
function newEvent(): CloudEvent {
  return createEvent({
    id: `event-${drawn++}`,
    source: 'https://example.com/a?b#c',
    type: 'com.example.someevent',
    subject: 'Euro € "x" 100%',
    time: '2018-04-05T17:31:00.123Z',
    extensions: { text: 'value', number: -5, flag: true, bytes: Uint8Array.of(1, 2, 255) },
    data: jsonData({ message: 'Hello "World"!', a: [1, 2.5, null, { deep: true }] }),
  })
}

type Request = { headers: Record<string, string>; body: Buffer }

function broken(type: string, encode: () => Uint8Array | string): (next: Next) => Request {
  return next => ({
    headers: { 'content-type': `application/cloudevents${type}` },
    body: mutate(Buffer.from(encode() as string), next),
  })
}

const modes: [mode: string, make: (next: Next) => Request][] = [
  ['structured JSON', broken('+json', () => encodeJson(newEvent()))],
  ['Avro', broken('+avro', () => encodeAvro(newEvent()))],
  ['Protobuf', broken('+protobuf', () => encodeProtobuf(newEvent()))],
  ['XML', broken('+xml', () => encodeXml(newEvent()))],
  ['a batch', broken('-batch+json', () => encodeHttpBatch([newEvent(), newEvent()]).body)],
  ['binary mode', brokenHeaders],
]

/** One header broken, the data too one time in two. */
function brokenHeaders(next: Next): Request {
  const { headers, body } = encodeHttpBinary(newEvent())
  const all = Object.entries({ ...headers })
  const at = next(all.length)
  const [name, value] = all[at] as [string, string]
  const newName = next(4) === 0 ? headerName(mutate(Buffer.from(name), next)) : name
  all[at] = [newName === '' ? name : newName, headerValue(mutate(Buffer.from(value), next))]
  return {
    headers: Object.fromEntries(all),
    body: next(2) === 0 ? Buffer.from(body) : mutate(Buffer.from(body), next),
  }
}

/** What a client library sends; other bytes are tried on the socket by the test of hostile requests. */
function headerName(bytes: Buffer): string {
  return bytes.toString('latin1').replace(/[^!#$%&'*+.^_`|~0-9A-Za-z-]/g, '')
}
function headerValue(bytes: Buffer): string {
  return bytes.toString('latin1').replace(/[^\t\x20-\x7e\x80-\xff]/g, '')
}

const languages: [language: string, make: (next: Next) => unknown][] = [
  ['CESQL', next => brokenText(next, cesqlPieces, 12)],
  ['EventBridge patterns', next => ({ pattern: brokenDefinition(next, 5) })],
  ['the Subscriptions API', next => (next(2) === 0 ? brokenDefinition(next, 5) : randomFilter(next))],
  ['JSONata', next => ({ jsonata: brokenText(next, jsonataPieces, 10) })],
]

describe('broken events', () => {
  it.each(modes)(
    `[sec:S3] in %s are taken or refused (${cases} from seed ${firstSeed})`,
    async (_, make) => {
      const statuses = await tryAll(async next => {
        const { headers, body } = make(next)
        // A trigger takes no batch.
        const path = headers['content-type']?.includes('batch') || next(2) === 0 ? 'events' : 'triggers/taking'
        return api.call('POST', path, { headers, body, timeoutMs: 5 * answerMsMax })
      })
      expectBoth(statuses, 202)
    },
    60_000,
  )
})

describe('broken filters', () => {
  it.each(languages)(
    `[sec:S3] of %s are taken or refused (${cases} from seed ${firstSeed})`,
    async (_, make) => {
      const statuses = await tryAll(async next => {
        const value = make(next)
        const body =
          next(2) === 0
            ? { annotations: [{ key: 'accepts', value }] }
            : { trigger: '/_/taking', action: '/_/none', annotations: [{ key: 'filter', value }] }
        const path = 'trigger' in body ? 'rules/broken' : 'triggers/broken-too'
        const put = await api.call('PUT', `${path}?overwrite=true`, { body, timeoutMs: 5 * answerMsMax })
        if (put.status !== 200) return put
        // What was taken must also be used up.
        const headers = { 'content-type': 'application/cloudevents+json' }
        const fire = await api.call('POST', 'events', {
          headers,
          body: encodeJson(newEvent()),
          timeoutMs: 5 * answerMsMax,
        })
        return fire.status === 202 ? put : fire
      })
      expectBoth(statuses, 200)
    },
    60_000,
  )
})
/** Makes all requests and counts the answers by status. */
async function tryAll(attempt: (next: Next) => Promise<Answer>): Promise<Map<number, number>> {
  const statuses = new Map<number, number>()
  const findings: string[] = []
  for (let number = 0; number < cases; number++) {
    const note = (what: string): void => void findings.push(`seed ${firstSeed + number}: ${what}`)
    const sentMs = performance.now()
    try {
      const { status, body, text } = await attempt(seeded(firstSeed + number))
      statuses.set(status, (statuses.get(status) ?? 0) + 1)
      if (status >= 500) note(`${status} ${text.slice(0, 200)}`)
      if (status >= 400 && typeof body?.error !== 'string') note(`no envelope: ${status} ${text.slice(0, 200)}`)
      if (tellsInside(text)) note(`tells what is inside: ${text.slice(0, 200)}`)
    } catch (error) {
      note(`no answer: ${String(error)}`)
    }
    const tookMs = performance.now() - sentMs
    if (tookMs > answerMsMax) note(`${Math.round(tookMs)} ms`)
    if (number % 20 === 0 && (await api.call('GET', '/ping', { auth: null })).text !== 'pong') note('no next request')
  }
  expect(findings).toEqual([])
  expect((await api.call('GET', '/readyz', { auth: null })).status).toBe(200)
  return statuses
}

/** Both must occur, or the inputs say nothing. */
function expectBoth(statuses: Map<number, number>, good: number): void {
  const taken = statuses.get(good) ?? 0
  expect(taken).toBeGreaterThan(cases / 100)
  expect(cases - taken).toBeGreaterThan(cases / 100)
}
