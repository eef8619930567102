import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { deleteEntities, eventually, putEntity, type Api } from '../rig/api.ts'
import { curl, curlMissing, type CurlAnswer } from '../rig/curl.ts'
import { openHubUnderTest, type HubUnderTest } from '../rig/hub-under-test.ts'

/** CloudEvents sent by hand, and rules of which each takes its own (events.md §2, §3, §3.5). */

const missing = await curlMissing()
let hub: HubUnderTest
let api: Api

beforeEach(context => context.skip(missing !== undefined, missing))

beforeAll(async () => {
  if (missing !== undefined) return
  hub = await openHubUnderTest()
  api = hub.mine.api
  for (const action of ['sound-alarm', 'keep-books'])
    await putEntity(api, `actions/${action}`, {
      exec: { kind: 'nodejs:default', code: 'function main(args) { return args }' },
    })
  await putEntity(api, 'triggers/readings', {})
  await rule('hot', 'sound-alarm', { pattern: { data: { celsius: [{ numeric: ['>', 80] }] } } })
  await rule('north', 'keep-books', "source = '/plants/north' AND type LIKE 'com.example.%'")
})
afterAll(async () => {
  if (api !== undefined) await deleteEntities(api)
  await hub?.close()
})

async function rule(name: string, action: string, filter: unknown): Promise<void> {
  const annotations = [{ key: 'filter', value: filter }]
  await putEntity(api, `rules/${name}`, { trigger: '/_/readings', action: `/_/${action}`, annotations })
}

type Event = { id: string; source: string; type: string; data: object }

/** Passes `hot` alone. */
const hotInTheSouth = (id: string): Event => ({
  id,
  source: '/plants/south',
  type: 'com.example.reading',
  data: { celsius: 95 },
})
/** Passes `north` alone. */
const coolInTheNorth = (id: string): Event => ({ ...hotInTheSouth(id), source: '/plants/north', data: { celsius: 20 } })

function post(path: string, ...options: string[]): Promise<CurlAnswer> {
  return curl('-u', hub.mine.auth, ...options, `${hub.url}/api/v1/namespaces/_/${path}`)
}

const modes = {
  structured: (event: Event) => [
    '-H',
    'content-type: application/cloudevents+json',
    '--data',
    JSON.stringify({ specversion: '1.0', ...event }),
  ],
  binary: ({ data, ...attributes }: Event) => [
    ...Object.entries({ specversion: '1.0', ...attributes }).flatMap(([name, value]) => ['-H', `ce-${name}: ${value}`]),
    '-H',
    'content-type: application/json',
    '--data',
    JSON.stringify(data),
  ],
}

/** Names of the rules that the fire ran, once it is settled. */
async function rulesRun(fireId: string): Promise<string[]> {
  const settlement = await eventually(async () => {
    const { status, body } = await api.call('GET', `activations/${fireId}/settlement?waitMs=5000`)
    return status === 200 && body.settled && body
  })
  return settlement.runs.map(({ rule }: { rule: string }) => rule.split('/').at(-1))
}

/** How often each action has run so far. */
async function runs(): Promise<{ alarms: number; books: number }> {
  const count = async (name: string) => (await api.call('GET', `activations?count=true&name=${name}`)).body.activations
  return { alarms: await count('sound-alarm'), books: await count('keep-books') }
}

describe.each([
  {
    mode: 'structured' as const,
    event: hotInTheSouth,
    runs: 'hot',
    other: 'north',
    more: { alarms: 1, books: 0 },
    clause: { path: '/filter', language: 'cesql', reason: expect.stringContaining('source is "/plants/south"') },
  },
  {
    mode: 'binary' as const,
    event: coolInTheNorth,
    runs: 'north',
    other: 'hot',
    more: { alarms: 0, books: 1 },
    clause: {
      path: '/filter',
      language: 'pattern',
      reason: 'data.celsius is 20; wanted is one that is a number > 80',
    },
  },
])('a $mode event sent by curl', ({ mode, event, runs: running, other, more, clause }) => {
  const send = (id: string) => post('triggers/readings', ...modes[mode](event(id)))

  it('runs the action of the rule that it passes, and of no other', async () => {
    const before = await runs()
    const { status, body } = await send(`${mode}-1`)
    expect(status).toBe(202)
    expect(await rulesRun(body.activationId)).toEqual([running])
    expect(await runs()).toEqual({ alarms: before.alarms + more.alarms, books: before.books + more.books })
  })

  it('is explained: which clause of the other rule it fails, and why', async () => {
    const before = await runs()
    const ask = async (path: string) => (await post(path, ...modes[mode](event(`${mode}-asked`)))).body
    const refused = await ask(`rules/${other}/explain`)
    expect(refused).toMatchObject({ rule: other, matched: false, clause })
    const passed = await ask(`rules/${running}/explain`)
    expect(passed).toEqual({
      rule: running,
      matched: true,
      input: expect.objectContaining({ specversion: '1.0', ...event(`${mode}-asked`) }),
    })
    const both = await ask('triggers/readings/explain')
    expect(both).toHaveLength(2)
    expect(both).toEqual(expect.arrayContaining([refused, passed]))
    expect(await runs()).toEqual(before)
  })

  it('runs nothing when it is sent again', async () => {
    const first = await send(`${mode}-2`)
    expect(await rulesRun(first.body.activationId)).toEqual([running])
    const before = await runs()
    expect(await send(`${mode}-2`)).toEqual(first)
    // What came after it has been worked off: so has it.
    const next = await send(`${mode}-3`)
    expect(await rulesRun(next.body.activationId)).toEqual([running])
    expect(await runs()).toEqual({ alarms: before.alarms + more.alarms, books: before.books + more.books })
  })
})
