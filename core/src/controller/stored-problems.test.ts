import { createEvent } from '@sluice/cloudevents'
import { describe, expect, it } from 'vitest'
import { openMemoryBackend } from '../backend/memory/index.ts'
import type { Annotations, FireRecord, WhiskTrigger } from '../model/index.ts'
import { createRecordTail, systemClock, systemRandom, type ArtifactStore, type StoredDocument } from '../spi/index.ts'
import { createEventService } from './event-service.ts'
import { createFireService } from './fire-service.ts'
import { createRuleFilters } from './rule-filters.ts'
import { createFixture, nodeAction, silentJsonata } from './testing/fixture.ts'
import { createTriggerIndex } from './trigger-index.ts'

/** Annotations that were stored past the API, or by a version that took more (events.md §3.1): never in silence. */

const broken = {
  filter: { value: "type = 'a' AND", problem: /'filter' was malformed: .*column 15/ },
  transform: { value: { jsonata: '{"a": ' }, problem: /'transform' was malformed: / },
  input: { value: 'xml', problem: /'input' was malformed: / },
}

async function tamper(artifacts: ArtifactStore, id: string, change: (document: any) => void): Promise<void> {
  const stored = await artifacts.get(id)
  const document = structuredClone(stored?.document) as unknown as StoredDocument
  change(document)
  await artifacts.put(id, document, stored?.revision)
}

describe.each(Object.entries(broken))('a stored %s that cannot be used', (key, { value, problem }) => {
  const annotations = [{ key, value }] as unknown as Annotations

  it('makes its rule inactive, and GET and explain say why', async () => {
    const { call, artifacts } = await createFixture()
    await call('PUT', '~actions/a', nodeAction)
    await call('PUT', '~triggers/t', {})
    for (const name of ['r', 'sound']) await call('PUT', `~rules/${name}`, { trigger: '/_/t', action: '/_/a' })
    await tamper(artifacts, 'guest/r', rule => (rule.annotations = annotations))
    await tamper(artifacts, 'guest/t', trigger => (trigger.rules['guest/r'].annotations = annotations))
    const { json } = await call('GET', '~rules/r')
    expect(json.status).toBe('inactive')
    expect(json.annotations).toEqual([...annotations, { key: 'sluice:error', value: expect.stringMatching(problem) }])
    const text = typeof value === 'string' ? value : JSON.stringify(value)
    const clause = { path: `/${key}`, text, reason: expect.stringMatching(problem) }
    expect((await call('POST', '~rules/r/explain', {})).json).toEqual({ rule: 'r', matched: false, clause })
    const all = (await call('POST', '~triggers/t/explain', {})).json as { rule: string; matched: boolean }[]
    expect(all.map(({ rule, matched }) => [rule, matched]).sort()).toEqual([
      ['r', false],
      ['sound', true],
    ])
  })

  it('is put right by a PUT of what GET gave, in which what it told is not kept', async () => {
    const { call, artifacts } = await createFixture()
    await call('PUT', '~actions/a', nodeAction)
    await call('PUT', '~triggers/t', {})
    await call('PUT', '~rules/r', { trigger: '/_/t', action: '/_/a' })
    await tamper(artifacts, 'guest/r', rule => (rule.annotations = annotations))
    const read = (await call('GET', '~rules/r')).json.annotations as { key: string }[]
    const others = [{ key: 'about', value: 'kept' }, ...read.filter(one => one.key !== key)]
    expect(others).toHaveLength(2)
    await call('PUT', '~rules/r?overwrite=true', { annotations: others })
    const { json } = await call('GET', '~rules/r')
    expect([json.status, json.annotations]).toEqual(['active', [{ key: 'about', value: 'kept' }]])
  })

  it('keeps the rule from running, is in the record of the fire, and is told once', () => {
    const told: string[] = []
    const filters = createRuleFilters(silentJsonata, { unusable: (...what) => told.push(what.join(': ')) })
    const read = () =>
      ({ namespace: 'guest', name: 't', rules: { 'guest/r': { annotations } } }) as unknown as WhiskTrigger
    for (let time = 0; time < 2; time++) {
      const found = filters.of(read())
      const decisions = found?.decide({} as never) as ReadonlyMap<string, unknown>
      expect(decisions.get('guest/r')).toEqual({ decision: 'inactive', error: expect.stringMatching(problem) })
      expect(found?.hasFilters).toBe(key === 'filter')
    }
    expect(told).toEqual([expect.stringMatching(/^rule guest\/r: /)])
  })
})

describe('a stored accepts that cannot be used', () => {
  const annotations = [{ key: 'accepts', value: { nonsense: 1 } }]

  it('is shown by GET, and not among the rules that explain answers for', async () => {
    const { call, artifacts } = await createFixture()
    await call('PUT', '~actions/a', nodeAction)
    await call('PUT', '~triggers/t', {})
    await call('PUT', '~rules/r', { trigger: '/_/t', action: '/_/a' })
    await tamper(artifacts, 'guest/t', trigger => (trigger.annotations = annotations))
    const reason = expect.stringMatching(/'accepts' was malformed: .*nonsense/)
    const shown = (await call('GET', '~triggers/t')).json.annotations as { key: string }[]
    expect(shown).toContainEqual({ key: 'sluice:error', value: reason })
    // Who fires the trigger itself is not asked what it accepts.
    expect((await call('POST', '~triggers/t/explain', {})).json).toEqual([
      { rule: 'r', matched: true, input: expect.any(Object) },
    ])
    const mended = shown.map(one => (one.key === 'accepts' ? { ...one, value: "type = 'a'" } : one))
    await call('PUT', '~triggers/t?overwrite=true', { annotations: mended })
    expect((await call('GET', '~triggers/t')).json.annotations).toEqual([{ key: 'accepts', value: "type = 'a'" }])
  })

  it('accepts nothing, counts each event that it was not asked about, and is told once', async () => {
    const told: string[] = []
    const undecided: number[] = []
    let unrouted = 0
    const { artifacts, bus, state } = openMemoryBackend({ clock: systemClock, random: systemRandom })
    const document = { entityType: 'trigger', namespace: 'guest', updated: 0, version: '0.0.1', parameters: [] }
    const put = (name: string, value: unknown, old?: string) =>
      artifacts.put(
        `guest/${name}`,
        { ...document, name, annotations: [{ key: 'accepts', value }] } as unknown as StoredDocument,
        old,
      )
    const first = await put('broken', { nonsense: 1 })
    await put('failing', "missing = 'x'")
    const clock = systemClock
    const filters = createRuleFilters(silentJsonata, { unusable: (...what) => told.push(what.join(': ')) })
    const triggers = createTriggerIndex({ artifacts, filters, clock })
    const tail = createRecordTail(() => undefined)
    const fire = createFireService({ bus, state, clock, random: systemRandom, tail, filters })
    const service = createEventService({
      fire,
      filters,
      triggers,
      observe: { undecided: (_, n) => undecided.push(n), unrouted: () => void unrouted++ },
    })
    const send = (id: string) =>
      service.accept({
        identity: {} as FireRecord['user'],
        namespace: 'guest',
        headers: {},
        transid: 't',
        events: [createEvent({ id, source: '/s', type: 't' })],
      })
    expect(await send('1')).toEqual([0])
    await put('broken', { nonsense: 1 }, first.revision)
    expect(await send('2')).toEqual([0])
    expect(undecided).toEqual([2, 2])
    expect(unrouted).toBe(2)
    // Who accepts it and runs nothing has it all the same.
    await put('idle', "type = 't'")
    expect(await send('3')).toEqual([0])
    expect(unrouted).toBe(2)
    expect(told).toEqual([expect.stringMatching(/^trigger guest\/broken: .*nonsense/)])
    triggers.close()
  })
})
