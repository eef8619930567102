import { describe, expect, it } from 'vitest'
import { parseJson, stringifyJson } from '../src/model/index.ts'
import type { StateStore } from '../src/spi/index.ts'
import { codeOf, opened, openedTwice, recorder, unique, type Opener } from './support.ts'

/** Every StateStore passes this suite. Read the test names: they are the specification. */
export function stateStoreContract(name: string, open: Opener<StateStore>, { lasting }: { lasting: boolean }): void {
  describe(`StateStore: ${name}`, () => {
    describe('get and put', () => {
      it('has nothing under a key that was not put', async () => {
        const store = await opened(open)
        expect(await store.get(unique('none'))).toBeUndefined()
      })

      it('gives back any JSON value, digit by digit [rest:1.4]', async () => {
        const store = await opened(open)
        const exact = '{"big":123456789012345678901234567890,"small":1e-400,"one":1.0}'
        const values = [null, true, 0, '', 'text ✓ \u0000', [], {}, [{ a: [1, 'b', null] }], parseJson(exact)]
        for (const value of values) {
          const key = unique('value')
          await store.put(key, value)
          expect(stringifyJson((await store.get(key))?.value)).toBe(stringifyJson(value))
        }
      })

      it('keeps what it was given, whatever happens to the object afterwards', async () => {
        const store = await opened(open)
        const key = unique('key')
        const value = { list: [1] }
        await store.put(key, value)
        value.list.push(2)
        expect((await store.get(key))?.value).toEqual({ list: [1] })
        ;((await store.get(key))?.value as typeof value).list.push(3)
        expect((await store.get(key))?.value).toEqual({ list: [1] })
      })

      it('keeps __proto__ as a plain key [sec:S5]', async () => {
        const store = await opened(open)
        const key = unique('key')
        await store.put(key, JSON.parse('{"__proto__":{"polluted":true}}'))
        const value = (await store.get(key))?.value
        expect(stringifyJson(value)).toBe('{"__proto__":{"polluted":true}}')
        expect(({} as { polluted?: boolean }).polluted).toBeUndefined()
      })

      it('takes any key that is text', async () => {
        const store = await opened(open)
        const base = unique('key')
        for (const suffix of ['/a/b', ' with space', '!%21', '_x', 'ü✓😀', '"', "'", '\\', '?a=b&c#d', '.', '..']) {
          await store.put(base + suffix, suffix)
          expect((await store.get(base + suffix))?.value).toBe(suffix)
        }
      })
    })

    describe('compare and swap', () => {
      it('creates only where nothing is', async () => {
        const store = await opened(open)
        const key = unique('key')
        await store.put(key, 1)
        expect(await codeOf(store.put(key, 2))).toBe('SLUICE_CONFLICT')
        expect((await store.get(key))?.value).toBe(1)
      })

      it('changes only what was read, and gives the new revision', async () => {
        const store = await opened(open)
        const key = unique('key')
        const first = await store.put(key, 1)
        const second = await store.put(key, 2, first)
        expect(second).not.toBe(first)
        expect(await store.get(key)).toEqual({ key, revision: second, value: 2 })
        expect(await codeOf(store.put(key, 3, first))).toBe('SLUICE_CONFLICT')
      })

      it('does not create with a revision of what is gone, nor of what never was', async () => {
        const store = await opened(open)
        const [key, never] = [unique('key'), unique('never')]
        const revision = await store.put(key, 1)
        await store.delete(key, revision)
        expect(await codeOf(store.put(key, 2, revision))).toBe('SLUICE_CONFLICT')
        expect(await codeOf(store.put(never, 2, revision))).toBe('SLUICE_CONFLICT')
        const again = await store.put(key, 1)
        expect(again).not.toBe(revision)
        expect(await codeOf(store.put(key, 2, revision))).toBe('SLUICE_CONFLICT')
      })

      it("overwrites whatever is there when told so ('any')", async () => {
        const store = await opened(open)
        const key = unique('key')
        await store.put(key, 1, 'any')
        await store.put(key, 2, 'any')
        expect((await store.get(key))?.value).toBe(2)
      })

      it('lets exactly one of many writers with the same revision win', async () => {
        const store = await opened(open)
        const key = unique('key')
        const revision = await store.put(key, 'start')
        const outcomes = await Promise.all(
          Array.from({ length: 20 }, (_, writer) => codeOf(store.put(key, `writer ${writer}`, revision))),
        )
        expect(outcomes.filter(outcome => outcome === 'resolved').length).toBe(1)
        expect(outcomes.filter(outcome => outcome === 'SLUICE_CONFLICT').length).toBe(19)
        expect((await store.get(key))?.value).toBe(`writer ${outcomes.indexOf('resolved')}`)
      })

      it('lets exactly one of many creators win', async () => {
        const store = await opened(open)
        const key = unique('key')
        const outcomes = await Promise.all(Array.from({ length: 20 }, (_, at) => codeOf(store.put(key, at))))
        expect(outcomes.filter(outcome => outcome === 'resolved').length).toBe(1)
      })

      it('shows whoever was refused what he was refused for', async () => {
        const store = await opened(open)
        const key = unique('key')
        const revision = await store.put(key, 0)
        const increments = Array.from({ length: 10 }, async () => {
          for (;;) {
            const entry = await store.get(key)
            const outcome = await codeOf(store.put(key, Number(entry?.value) + 1, entry?.revision))
            if (outcome === 'resolved') return
          }
        })
        await Promise.all(increments)
        expect(revision).toBeDefined()
        expect((await store.get(key))?.value).toBe(10)
      })

      it('deletes only what was read, or whatever is there, or nothing', async () => {
        const store = await opened(open)
        const key = unique('key')
        const first = await store.put(key, 1)
        const second = await store.put(key, 2, first)
        expect(await codeOf(store.delete(key, first))).toBe('SLUICE_CONFLICT')
        await store.delete(key, second)
        expect(await store.get(key)).toBeUndefined()
        await store.put(key, 3)
        await store.delete(key)
        expect(await store.get(key)).toBeUndefined()
        await store.delete(key)
      })
    })

    describe('many at once', () => {
      it('tells the outcome of each write, in order: one that fails does not fail its neighbours', async () => {
        const store = await opened(open)
        const [a, b, c] = [unique('a'), unique('b'), unique('c')]
        await store.put(b, 'there')
        const [first, second, third] = await store.putMany([
          { key: a, value: 1 },
          { key: b, value: 2 },
          { key: c, value: 3, revision: 'any' },
        ])
        expect([typeof first, (second as { code?: string }).code, typeof third]).toEqual([
          'string',
          'SLUICE_CONFLICT',
          'string',
        ])
        expect(await store.get(a)).toMatchObject({ revision: first, value: 1 })
        expect((await store.get(b))?.value).toBe('there')
      })
    })

    describe('scan', () => {
      it('goes through the keys of a prefix in the order of their UTF-8 bytes', async () => {
        const store = await opened(open)
        const prefix = unique('scan/')
        const suffixes = ['', '!', '/', '0', '10', '9', 'A', 'a', 'aa', 'b', 'é', '\uffee', '\u{1f600}']
        for (const suffix of [...suffixes].reverse()) await store.put(prefix + suffix, suffix)
        await store.put(`${prefix.slice(0, -1)}0`, 'outside')
        const found = await store.scan({ prefix, limit: 100 })
        expect(found.map(({ value }) => value)).toEqual(suffixes)
        const backwards = await store.scan({ prefix, limit: 100, reverse: true })
        expect(backwards.map(({ value }) => value)).toEqual([...suffixes].reverse())
      })

      it('goes on behind a key, page by page, in both directions', async () => {
        const store = await opened(open)
        const prefix = unique('scan/')
        const suffixes = Array.from({ length: 25 }, (_, at) => String(at).padStart(2, '0'))
        await store.putMany(suffixes.map(suffix => ({ key: prefix + suffix, value: suffix })))
        for (const reverse of [false, true]) {
          const seen: unknown[] = []
          let after: string | undefined
          for (;;) {
            const page = await store.scan({ prefix, limit: 10, reverse, ...(after === undefined ? {} : { after }) })
            seen.push(...page.map(({ value }) => value))
            after = page.at(-1)?.key
            if (page.length < 10) break
          }
          expect(seen).toEqual(reverse ? [...suffixes].reverse() : suffixes)
        }
      })

      it('takes a key that is not there, or not in the prefix, as the place to go on from', async () => {
        const store = await opened(open)
        const base = unique('scan')
        const prefix = `${base}/m`
        for (const suffix of ['a', 'c']) await store.put(prefix + suffix, suffix)
        const values = async (after: string, reverse: boolean) =>
          (await store.scan({ prefix, after, limit: 10, reverse })).map(({ value }) => value)
        expect(await values(`${prefix}b`, false)).toEqual(['c'])
        expect(await values(`${prefix}b`, true)).toEqual(['a'])
        expect(await values(`${base}/a`, false)).toEqual(['a', 'c'])
        expect(await values(`${base}/a`, true)).toEqual([])
        expect(await values(`${base}/z`, false)).toEqual([])
        expect(await values(`${base}/z`, true)).toEqual(['c', 'a'])
      })

      it('gives nothing for a limit of 0, and nothing that was deleted', async () => {
        const store = await opened(open)
        const prefix = unique('scan/')
        await store.put(`${prefix}a`, 1)
        await store.put(`${prefix}b`, 2)
        await store.delete(`${prefix}a`)
        expect(await store.scan({ prefix, limit: 0 })).toEqual([])
        expect((await store.scan({ prefix, limit: 10 })).map(({ value }) => value)).toEqual([2])
      })
    })

    describe('watch', () => {
      it('tells of writes and deletes below the prefix, and of no others, until it is stopped', async () => {
        const store = await opened(open)
        const prefix = unique('watch/')
        const seen = recorder<string>()
        const stop = store.watch(prefix, ({ key, deleted }) => seen.add(`${key.slice(prefix.length)} ${deleted}`))
        await store.put(unique('elsewhere'), 1)
        await store.put(`${prefix}a`, 1)
        await store.delete(`${prefix}a`)
        expect(await seen.take(2)).toEqual(['a false', 'a true'])
        stop()
        const other = recorder<string>()
        const stopOther = store.watch(prefix, ({ key }) => other.add(key))
        await store.put(`${prefix}b`, 1)
        await other.take(1)
        stopOther()
        expect(seen.all.length).toBe(2)
      })

      it('tells of a write not before it can be read', async () => {
        const store = await opened(open)
        const prefix = unique('watch/')
        const seen = recorder<unknown>()
        const stop = store.watch(prefix, ({ key }) => void store.get(key).then(entry => seen.add(entry?.value)))
        await store.put(`${prefix}a`, 'there')
        expect(await seen.take(1)).toEqual(['there'])
        stop()
      })
    })

    if (lasting) {
      describe('after a restart', () => {
        for (const how of ['close', 'crash'] as const) {
          it(`has what was put and not what was deleted, under the same revisions (${how}) [rel:R3]`, async () => {
            const { subject: store, reopen } = await openedTwice(open)
            const [key, gone] = [unique('key'), unique('gone')]
            const revision = await store.put(key, { a: 1 })
            await store.put(gone, 1)
            await store.delete(gone)
            const again = await reopen(how)
            expect(await again.get(key)).toEqual({ key, revision, value: { a: 1 } })
            expect(await again.get(gone)).toBeUndefined()
            const next = await again.put(key, { a: 2 }, revision)
            expect(next).not.toBe(revision)
          })
        }
      })
    }
  })
}
