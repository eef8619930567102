import { readKit, type CesqlCase } from '@sluice/cloudevents/testing'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { deleteEntities, eventually, putEntity, type Api } from '../rig/api.ts'
import { openHubUnderTest, type HubUnderTest } from '../rig/hub-under-test.ts'

/**
 * The CESQL conformance kit through rules: each case is the filter of a rule, the cases of one event are rules of one
 * trigger, and the event is fired once. What runs and what `explain` says must be what the case says.
 */

type Explained = { rule: string; matched: boolean; clause?: { path: string; reason: string } }
type Group = { readonly event: Record<string, unknown>; readonly rules: Map<string, CesqlCase> }

const files = readKit('cesql')
const there = files.length > 0
const numbered = files
  .flatMap(({ cases }) => cases)
  .map((one, number) => ({ one, rule: `case-${number}`, event: eventOf(one) }))
const groups = new Map<string, Group>()
for (const { one, rule, event } of numbered) {
  if (one.error === 'parse') continue
  const key = JSON.stringify(event)
  const group = groups.get(key) ?? { event, rules: new Map<string, CesqlCase>() }
  groups.set(key, group)
  group.rules.set(rule, one)
}

/** By rule. */
const ran = new Set<string>()
const explained = new Map<string, Explained>()
const refused = new Map<string, string>()
let hub: HubUnderTest
let api: Api

beforeAll(async () => {
  if (!there) return
  hub = await openHubUnderTest()
  api = hub.mine.api
  await putEntity(api, 'actions/none', {
    exec: { kind: 'nodejs:default', code: 'const main = () => ({})' },
  })
  await putEntity(api, 'triggers/broken', {})
  for (const { one, rule } of numbered) {
    if (one.error !== 'parse') continue
    const answer = await api.call('PUT', `rules/${rule}`, { body: ruleBody('broken', one.expression) })
    if (answer.status === 400) refused.set(rule, answer.body.error)
  }
  await Promise.all([...groups.values()].map((group, number) => play(group, `cases-${number}`)))
})
afterAll(async () => {
  // A list has 200 names at most.
  for (let round = 0; round < 2; round++) if (api !== undefined) await deleteEntities(api)
  await hub?.close()
})

async function play({ event, rules }: Group, trigger: string): Promise<void> {
  await putEntity(api, `triggers/${trigger}`, {})
  for (const [rule, { expression }] of rules) await putEntity(api, `rules/${rule}`, ruleBody(trigger, expression))
  const request = { body: JSON.stringify(event), headers: { 'content-type': 'application/cloudevents+json' } }
  const found = (await api.call('POST', `triggers/${trigger}/explain`, request)).body as Explained[]
  for (const one of found) explained.set(one.rule, one)
  const fire = await api.call('POST', `triggers/${trigger}`, request)
  if (fire.status !== 202) throw new Error(`${trigger} was not fired: ${fire.status} ${fire.text}`)
  const runs = await eventually(async () => {
    const { status, body } = await api.call('GET', `activations/${fire.body.activationId}/settlement?waitMs=5000`)
    return status === 200 && body.settled && (body.runs as { rule: string }[])
  })
  for (const { rule } of runs) ran.add(rule.split('/').at(-1) ?? '')
}

function ruleBody(trigger: string, expression: string): object {
  return { trigger: `/_/${trigger}`, action: '/_/none', annotations: [{ key: 'filter', value: expression }] }
}

function eventOf({ event, eventOverrides }: CesqlCase): Record<string, unknown> {
  const usual = { specversion: '1.0', id: 'id-1', source: 'http://localhost/source', type: 'io.sluice.test' }
  return event ?? { ...usual, ...eventOverrides }
}

describe('conformance/cesql through rules', () => {
  it('has all cases at hand', context => {
    if (!there) return context.skip('needs ../shared/conformance')
    expect(numbered.length).toBeGreaterThanOrEqual(204)
    expect(explained.size + refused.size).toBe(numbered.length)
    // Outcomes of every kind, or nothing is said.
    expect(ran.size).toBeGreaterThan(50)
    expect(numbered.filter(({ one }) => one.error !== undefined).length).toBeGreaterThan(20)
  })

  for (const [at, { one, rule }] of numbered.entries()) {
    it(`${fileOf(at)}: ${one.name}`, () => {
      if (one.error === 'parse') return expect(refused.get(rule)).toMatch(/'filter' was malformed.*column \d+/s)
      // Only the boolean TRUE passes; an error never does, whatever the value beside it.
      const passes = one.error === undefined && one.result === true
      expect(ran.has(rule)).toBe(passes)
      const { matched, clause } = explained.get(rule) ?? {}
      expect(matched).toBe(passes)
      if (!passes) expect(clause?.path).toMatch(/^\/filter/)
      if (one.error !== undefined) expect(clause?.reason).toContain(`${one.error}: `)
    })
  }
})

function fileOf(number: number): string {
  let before = 0
  for (const { file, cases } of files) if (number < (before += cases.length)) return file
  return ''
}
