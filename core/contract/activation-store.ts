import { describe, expect, it } from 'vitest'
import { parseJson, stringifyJson, summaryOf, type ActivationRecord } from '../src/model/index.ts'
import type { ActivationQuery, ActivationStore } from '../src/spi/index.ts'
import { codeOf, opened, openedTwice, unique, type Opener } from './support.ts'

/** Every ActivationStore passes this suite. Read the test names: they are the specification. */
export function activationStoreContract(
  name: string,
  open: Opener<ActivationStore>,
  { lasting }: { lasting: boolean },
): void {
  describe(`ActivationStore: ${name}`, () => {
    describe('insert and get', () => {
      it('gives back the record, digit by digit [rest:1.4]', async () => {
        const store = await opened(open)
        const result = parseJson('{"big":98765432109876543210,"rate":1e400,"text":"✓\\u0000"}')
        const record = recordOf({ response: { statusCode: 0, result, size: 12 }, logs: ['one', 'zwei ü'] })
        expect(await store.insert(record)).toBe('inserted')
        expect(stringifyJson(await store.get(record.namespace, record.activationId))).toBe(stringifyJson(record))
      })

      it('keeps the first of two records with one id, and says that it was there [promise:P4]', async () => {
        const store = await opened(open)
        const record = recordOf({ duration: 1 })
        expect(await store.insert(record)).toBe('inserted')
        expect(await store.insert({ ...record, duration: 2 })).toBe('exists')
        expect((await store.get(record.namespace, record.activationId))?.duration).toBe(1)
      })

      it('lets one of many writers of one id insert it, and shows the others his record [promise:P4]', async () => {
        const store = await opened(open)
        const record = recordOf()
        const outcomes = await Promise.all(
          Array.from({ length: 10 }, async (_, duration) => {
            const outcome = await store.insert({ ...record, duration })
            return { outcome, seen: (await store.get(record.namespace, record.activationId))?.duration }
          }),
        )
        const winner = outcomes.findIndex(({ outcome }) => outcome === 'inserted')
        expect(outcomes.filter(({ outcome }) => outcome === 'inserted').length).toBe(1)
        expect(outcomes.every(({ seen }) => seen === winner)).toBe(true)
      })

      it('takes a fresh record without a look', async () => {
        const store = await opened(open)
        const record = recordOf()
        expect(await store.insert(record, { fresh: true })).toBe('inserted')
        expect(await store.insert(record)).toBe('exists')
      })

      it('finds a record only in its own namespace', async () => {
        const store = await opened(open)
        const record = recordOf()
        const other = { ...record, namespace: unique('other'), duration: 77 }
        await store.insert(record)
        expect(await store.get(other.namespace, record.activationId)).toBeUndefined()
        expect(await store.insert(other)).toBe('inserted')
        expect((await store.get(record.namespace, record.activationId))?.duration).toBe(record.duration)
      })

      it('has no record that was not inserted', async () => {
        const store = await opened(open)
        expect(await store.get(unique('guest'), '0'.repeat(32))).toBeUndefined()
      })

      it('tells the outcome of each of many records, in order', async () => {
        const store = await opened(open)
        const [a, b, c] = [recordOf(), recordOf(), recordOf()]
        await store.insert(b)
        expect(await store.insertMany([a, b, c])).toEqual(['inserted', 'exists', 'inserted'])
        expect(await store.get(c.namespace, c.activationId)).toEqual(c)
      })

      it('fails a record that cannot be written without failing its neighbours', async () => {
        const store = await opened(open)
        const [good, bad, alsoGood] = [recordOf(), recordOf({ response: { statusCode: 0, result: 1n } }), recordOf()]
        const [first, second, third] = await store.insertMany([good, bad, alsoGood])
        expect([first, third]).toEqual(['inserted', 'inserted'])
        expect(second).toBeInstanceOf(Error)
        expect(await store.get(bad.namespace, bad.activationId)).toBeUndefined()
      })
    })

    describe('lists', () => {
      it('shows summaries, newest start first [rest:101]', async () => {
        const store = await opened(open)
        const namespace = unique('guest')
        const records = [
          recordOf({ namespace, start: 2000 }),
          recordOf({ namespace, start: 3000 }),
          recordOf({ namespace, start: 1000 }),
        ]
        await store.insertMany(records)
        await store.insert(recordOf({ start: 2500 }))
        const listed = await store.list({ namespace, skip: 0, limit: 10 })
        expect(listed).toEqual([records[1], records[0], records[2]].map(record => summaryOf(record!)))
      })

      it('shows full records on demand [rest:102]', async () => {
        const store = await opened(open)
        const namespace = unique('guest')
        const records = [recordOf({ namespace, start: 2000, logs: ['a line'] }), recordOf({ namespace, start: 1000 })]
        await store.insertMany(records)
        expect(await full(store, { namespace, skip: 0, limit: 10 })).toEqual(records)
        expect(await full(store, { namespace, skip: 1, limit: 10 })).toEqual([records[1]])
        expect(await full(store, { namespace, skip: 0, limit: 1 })).toEqual([records[0]])
      })

      it('refuses to read whole records of more bytes than it is told, and no fewer', async () => {
        const store = await opened(open)
        const namespace = unique('guest')
        const records = [1, 2].map(start => recordOf({ namespace, start, logs: ['x'.repeat(5000)] }))
        await store.insertMany(records)
        const list = (limit: number, bytesMax: number) => store.listFull({ namespace, skip: 0, limit, bytesMax })
        expect(await codeOf(list(2, 10_000))).toBe('SLUICE_TOO_LARGE')
        expect(await codeOf(list(1, 10_000))).toBe('resolved')
        expect(await codeOf(list(2, 12_000))).toBe('resolved')
      })

      it('leaves out whole records that were deleted before they were read', async () => {
        const store = await opened(open)
        const namespace = unique('guest')
        await store.insertMany([1, 2].map(start => recordOf({ namespace, start })))
        const found: unknown[] = []
        for await (const record of await store.listFull({ namespace, skip: 0, limit: 10, bytesMax: 1e6 })) {
          found.push(record.start)
          await store.prune(2, 100)
        }
        expect(found[0]).toBe(2)
      })

      it('takes since and upto as inclusive bounds of the start [rest:102]', async () => {
        const store = await opened(open)
        const namespace = unique('guest')
        await store.insertMany([1000, 1001, 1002, 1003].map(start => recordOf({ namespace, start })))
        const starts = async (sinceMs?: number, uptoMs?: number) =>
          (await store.list({ namespace, sinceMs, uptoMs, skip: 0, limit: 10 })).map(({ start }) => start)
        expect(await starts(1001, 1002)).toEqual([1002, 1001])
        expect(await starts(1002)).toEqual([1003, 1002])
        expect(await starts(undefined, 1001)).toEqual([1001, 1000])
        expect(await starts(-5, 1000)).toEqual([1000])
        expect(await starts(1004)).toEqual([])
        expect(await starts(undefined, -1)).toEqual([])
        expect(await starts(1003, 1000)).toEqual([])
        expect(await store.count({ namespace, sinceMs: 1001, uptoMs: 1002, skip: 0 })).toBe(2)
        expect(await store.count({ namespace, sinceMs: 1003, uptoMs: 1000, skip: 0 })).toBe(0)
      })

      it("selects by name: the action's, with its package, or with the binding it was called through", async () => {
        const store = await opened(open)
        const namespace = unique('guest')
        const path = (value: string) => ({ key: 'path', value })
        const records = [
          recordOf({ namespace, start: 1, name: 'hello', annotations: [path(`${namespace}/hello`)] }),
          recordOf({ namespace, start: 2, name: 'hello', annotations: [path(`${namespace}/pkg/hello`)] }),
          recordOf({
            namespace,
            start: 3,
            name: 'hello',
            annotations: [path('other/pkg/hello'), { key: 'binding', value: `${namespace}/bound` }],
          }),
          recordOf({ namespace, start: 4, name: 'hello2', annotations: [path(`${namespace}/hello2`)] }),
          recordOf({ namespace, start: 5, name: 'trigger', annotations: [], end: undefined, duration: undefined }),
        ]
        await store.insertMany(records)
        const starts = async (name: string) =>
          (await store.list({ namespace, name, skip: 0, limit: 10 })).map(({ start }) => start)
        expect(await starts('hello')).toEqual([1])
        expect(await starts('pkg/hello')).toEqual([2])
        expect(await starts('bound/hello')).toEqual([3])
        expect(await starts('trigger')).toEqual([5])
        expect(await starts('none')).toEqual([])
        expect(await store.count({ namespace, name: 'pkg/hello', skip: 0 })).toBe(1)
        expect((await full(store, { namespace, name: 'bound/hello', skip: 0, limit: 1 }))[0]).toEqual(records[2])
      })

      it('skips, limits and counts, with every filter', async () => {
        const store = await opened(open)
        const namespace = unique('guest')
        await store.insertMany(
          Array.from({ length: 40 }, (_, at) =>
            recordOf({ namespace, start: 1000 + at, name: at % 2 ? 'odd' : 'even' }),
          ),
        )
        const starts = async (query: object, skip: number, limit: number) =>
          (await store.list({ namespace, ...query, skip, limit })).map(({ start }) => start - 1000)
        expect(await starts({}, 5, 3)).toEqual([34, 33, 32])
        expect(await starts({ name: 'odd' }, 2, 3)).toEqual([35, 33, 31])
        expect(await starts({ name: 'odd', sinceMs: 1010, uptoMs: 1020 }, 1, 2)).toEqual([17, 15])
        expect(await starts({}, 38, 10)).toEqual([1, 0])
        expect(await starts({}, 40, 10)).toEqual([])
        expect(await starts({}, 0, 0)).toEqual([])
        const count = (query: object, skip: number) => store.count({ namespace, ...query, skip })
        expect(await count({}, 0)).toBe(40)
        expect(await count({}, 15)).toBe(25)
        expect(await count({}, 50)).toBe(0)
        expect(await count({ name: 'odd' }, 5)).toBe(15)
        expect(await count({ name: 'odd', sinceMs: 1010, uptoMs: 1020 }, 0)).toBe(5)
        expect(await count({ name: 'none' }, 0)).toBe(0)
      })

      it('pages through more than a thousand records without losing or doubling one', async () => {
        const store = await opened(open)
        const namespace = unique('guest')
        const records = Array.from({ length: 1300 }, (_, at) =>
          recordOf({ namespace, start: 5000 + Math.floor(at / 3) }),
        )
        for (let at = 0; at < records.length; at += 100) await store.insertMany(records.slice(at, at + 100))
        const seen = new Set<string>()
        let last = Infinity
        for (let skip = 0; skip < 1400; skip += 200) {
          for (const { activationId, start } of await store.list({ namespace, skip, limit: 200 })) {
            expect(start).toBeLessThanOrEqual(last)
            last = start
            seen.add(activationId)
          }
        }
        expect(seen.size).toBe(1300)
        expect(await store.count({ namespace, skip: 0 })).toBe(1300)
      })

      it('shows what was inserted at once, also when many were', async () => {
        const store = await opened(open)
        const namespace = unique('guest')
        await Promise.all(
          Array.from({ length: 50 }, async () => {
            const record = recordOf({ namespace })
            await store.insert(record)
            expect(await store.get(namespace, record.activationId)).toEqual(record)
          }),
        )
        expect(await store.count({ namespace, skip: 0 })).toBe(50)
      })

      it('finds unlisted records by id and hides them from lists and counts', async () => {
        const store = await opened(open)
        const namespace = unique('guest')
        const record = recordOf({ namespace, sluice: { unlisted: true } })
        expect(await store.insert(record)).toBe('inserted')
        expect(await store.insert(record)).toBe('exists')
        expect(await store.get(namespace, record.activationId)).toEqual(record)
        expect(await store.list({ namespace, skip: 0, limit: 10 })).toEqual([])
        expect(await store.list({ namespace, name: record.name, skip: 0, limit: 10 })).toEqual([])
        expect(await full(store, { namespace, skip: 0, limit: 10 })).toEqual([])
        expect(await store.count({ namespace, skip: 0 })).toBe(0)
        expect(await store.count({ namespace, name: record.name, skip: 0 })).toBe(0)
      })
    })

    describe('prune', () => {
      it('deletes what started before, oldest first, no more than it was told, of every namespace', async () => {
        const store = await opened(open)
        const [a, b] = [unique('a'), unique('b')]
        // Older than anything another test inserts.
        const records = [3, 1, 2].map(start => recordOf({ namespace: a, start }))
        const hidden = recordOf({ namespace: b, start: 4, sluice: { unlisted: true } })
        await store.insertMany([...records, hidden])
        expect(await store.prune(5, 2)).toBe(2)
        expect((await store.list({ namespace: a, skip: 0, limit: 10 })).map(({ start }) => start)).toEqual([3])
        expect(await store.count({ namespace: a, skip: 0 })).toBe(1)
        expect(await store.prune(4, 100)).toBe(1)
        expect(await store.get(b, hidden.activationId)).toEqual(hidden)
        expect(await store.prune(5, 100)).toBe(1)
        expect(await store.get(b, hidden.activationId)).toBeUndefined()
        expect(await store.prune(5, 100)).toBe(0)
        expect(await store.count({ namespace: a, skip: 0 })).toBe(0)
        expect(await store.count({ namespace: a, name: 'hello', skip: 0 })).toBe(0)
      })

      it('finds what was inserted late with an old start', async () => {
        const store = await opened(open)
        const namespace = unique('late')
        await store.insert(recordOf({ namespace, start: 7 }))
        expect(await store.prune(10, 100)).toBe(1)
        await store.insert(recordOf({ namespace, start: 6 }))
        expect(await store.prune(10, 100)).toBe(1)
      })

      it('keeps what an unsettled fire has, whatever its age, and deletes what is settled around it', async () => {
        const store = await opened(open)
        const namespace = unique('fired')
        const run = (fireId: string, start: number) =>
          recordOf({ namespace, start, sluice: { fireId, rule: 'ns/r', round: 0 } })
        const fire = (start: number, runs: readonly ActivationRecord[]) => {
          const { activationId } = recordOf()
          const entries = runs.map(({ activationId: id }) => ({ rule: 'ns/r', activationId: id }))
          const sluice = { fireId: activationId, runs: [...entries, { rule: 'ns/refused', refused: true }] }
          return recordOf({ namespace, start, activationId, sluice })
        }
        const there = async (record: ActivationRecord) =>
          (await store.get(namespace, record.activationId)) !== undefined
        const first = fire(1, [])
        const [done, late] = [run('', 2), run('', 4)]
        const open1 = fire(1, [done, late])
        const ofOpen = (record: ActivationRecord) => ({
          ...record,
          sluice: { ...record.sluice, fireId: open1.activationId },
        })
        const settledRun = run('', 4)
        const settled = fire(3, [settledRun])
        const direct = recordOf({ namespace, start: 3 })
        await store.insertMany([first, open1, ofOpen(done), settled, direct])
        await store.insert({ ...settledRun, sluice: { ...settledRun.sluice, fireId: settled.activationId } })

        expect(await prunedOf(store, 5, 2)).toBe(4)
        expect(await Promise.all([first, settled, settledRun, direct].map(there))).toEqual([false, false, false, false])
        expect(await Promise.all([open1, done].map(there))).toEqual([true, true])
        expect(await store.prune(Infinity, 0)).toBe(0)

        await store.insert(ofOpen(late))
        expect(await prunedOf(store, 5, 1)).toBe(3)
        expect(await Promise.all([open1, done, late].map(there))).toEqual([false, false, false])
      })

      it('deletes a settled fire although its runs seem older than itself', async () => {
        const store = await opened(open)
        const namespace = unique('clock')
        const trigger = recordOf({ namespace, start: 4 })
        const run = recordOf({ namespace, start: 2, sluice: { fireId: trigger.activationId, rule: 'ns/r', round: 0 } })
        const runs = [{ rule: 'ns/r', activationId: run.activationId }]
        await store.insertMany([run, { ...trigger, sluice: { fireId: trigger.activationId, runs } }])
        await prunedOf(store, 5, 10)
        await prunedOf(store, 5, 10)
        expect(await store.get(namespace, trigger.activationId)).toBeUndefined()
        expect(await store.get(namespace, run.activationId)).toBeUndefined()
      })

      it('lets an id be inserted again once it is gone', async () => {
        const store = await opened(open)
        const record = recordOf({ start: 8 })
        await store.insert(record)
        await store.prune(9, 100)
        expect(await store.insert(record)).toBe('inserted')
        await store.prune(9, 100)
      })
    })

    if (lasting) {
      describe('after a restart', () => {
        for (const how of ['close', 'crash'] as const) {
          it(`has every record, in lists and counts (${how}) [rel:R3]`, async () => {
            const { subject: store, reopen } = await openedTwice(open)
            const namespace = unique('guest')
            const records = Array.from({ length: 30 }, (_, at) => recordOf({ namespace, start: 1000 - at }))
            await store.insertMany(records)
            const again = await reopen(how)
            expect(await full(again, { namespace, skip: 0, limit: 100 })).toEqual(records)
            expect(await again.count({ namespace, skip: 0 })).toBe(30)
            expect(await again.insert(records[3]!)).toBe('exists')
            await again.insert(recordOf({ namespace }))
            expect(await again.count({ namespace, skip: 0 })).toBe(31)
          })
        }
      })
    }
  })
}

/** One pass of pruning, in steps. */
async function prunedOf(store: ActivationStore, beforeMs: number, limit: number): Promise<number> {
  for (let sum = 0; ;) {
    const pruned = await store.prune(beforeMs, limit)
    if (pruned === 0) return sum
    sum += pruned
  }
}

async function full(store: ActivationStore, query: ActivationQuery & { limit: number }): Promise<ActivationRecord[]> {
  const found: ActivationRecord[] = []
  for await (const record of await store.listFull({ ...query, bytesMax: 1e9 })) found.push(record)
  return found
}

let count = 0

function recordOf(changes: Partial<ActivationRecord> = {}): ActivationRecord {
  const start = changes.start ?? 1_700_000_000_000 + count
  return {
    namespace: unique('guest'),
    name: 'hello',
    version: '0.0.1',
    subject: 'guest',
    activationId: (++count).toString(16).padStart(8, '0') + process.pid.toString(16).padStart(24, '0'),
    start,
    end: start + 5,
    duration: 5,
    response: { statusCode: 0, result: { ok: true }, size: 11 },
    logs: [],
    annotations: [{ key: 'kind', value: 'nodejs:20' }],
    publish: false,
    ...changes,
  }
}
