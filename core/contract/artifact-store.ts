import { describe, expect, it } from 'vitest'
import { parseJson, stringifyJson, type EntityKind } from '../src/model/index.ts'
import type { ArtifactStore, ListQuery, StoredDocument } from '../src/spi/index.ts'
import { codeOf, opened, openedTwice, recorder, unique, type Opener } from './support.ts'

/** Every ArtifactStore passes this suite. Read the test names: they are the specification. */
export function artifactStoreContract(
  name: string,
  open: Opener<ArtifactStore>,
  { lasting }: { lasting: boolean },
): void {
  describe(`ArtifactStore: ${name}`, () => {
    describe('documents', () => {
      it('has nothing under an id that was not put', async () => {
        const store = await opened(open)
        expect(await store.get(unique('guest/none'))).toBeUndefined()
      })

      it('gives back what was put, digit by digit, with its id and a revision [rest:1.4]', async () => {
        const store = await opened(open)
        const namespace = unique('guest')
        const id = `${namespace}/action`
        const text = '{"big":12345678901234567890,"one":1.0,"nested":{"list":[null,true,"✓"]}}'
        const document = { ...documentOf(namespace, 'action', 5), parameters: parseJson(text) }
        const put = await store.put(id, document)
        const found = await store.get(id)
        expect(put).toMatchObject({ id, revision: found?.revision })
        expect(stringifyJson(found?.document)).toBe(stringifyJson(document))
      })

      it('keeps what it was given, whatever happens to the object afterwards', async () => {
        const store = await opened(open)
        const namespace = unique('guest')
        const id = `${namespace}/action`
        const document = { ...documentOf(namespace, 'action', 5), list: [1] }
        await store.put(id, document)
        document.list.push(2)
        expect((await store.get(id))?.document['list']).toEqual([1])
      })

      it('creates only where nothing is, of whatever kind', async () => {
        const store = await opened(open)
        const namespace = unique('guest')
        await store.put(`${namespace}/x`, documentOf(namespace, 'action', 1))
        expect(await codeOf(store.put(`${namespace}/x`, documentOf(namespace, 'trigger', 2)))).toBe('SLUICE_CONFLICT')
        expect((await store.get(`${namespace}/x`))?.document.entityType).toBe('action')
      })

      it('changes only what was read', async () => {
        const store = await opened(open)
        const namespace = unique('guest')
        const id = `${namespace}/x`
        const first = await store.put(id, documentOf(namespace, 'action', 1))
        const second = await store.put(id, documentOf(namespace, 'action', 2), first.revision)
        expect(second.revision).not.toBe(first.revision)
        expect(await codeOf(store.put(id, documentOf(namespace, 'action', 3), first.revision))).toBe('SLUICE_CONFLICT')
        expect(await store.get(id)).toEqual(second)
      })

      it('deletes only what was read, and says when it is gone', async () => {
        const store = await opened(open)
        const namespace = unique('guest')
        const id = `${namespace}/x`
        const first = await store.put(id, documentOf(namespace, 'action', 1))
        const second = await store.put(id, documentOf(namespace, 'action', 2), first.revision)
        expect(await codeOf(store.delete(id, first.revision))).toBe('SLUICE_CONFLICT')
        await store.delete(id, second.revision)
        expect(await store.get(id)).toBeUndefined()
        expect(await codeOf(store.delete(id, second.revision))).toBe('SLUICE_NOT_FOUND')
      })

      it('does not take a revision for one that was deleted and created again', async () => {
        const store = await opened(open)
        const namespace = unique('guest')
        const id = `${namespace}/x`
        const { revision } = await store.put(id, documentOf(namespace, 'action', 1))
        await store.delete(id, revision)
        expect(await codeOf(store.put(id, documentOf(namespace, 'action', 2), revision))).toBe('SLUICE_CONFLICT')
        await store.put(id, documentOf(namespace, 'action', 3))
        expect(await codeOf(store.put(id, documentOf(namespace, 'action', 4), revision))).toBe('SLUICE_CONFLICT')
      })

      it('lets exactly one of many writers with the same revision win', async () => {
        const store = await opened(open)
        const namespace = unique('guest')
        const id = `${namespace}/x`
        const { revision } = await store.put(id, documentOf(namespace, 'action', 1))
        const outcomes = await Promise.all(
          Array.from({ length: 20 }, (_, at) => codeOf(store.put(id, documentOf(namespace, 'action', at), revision))),
        )
        expect(outcomes.filter(outcome => outcome === 'resolved').length).toBe(1)
        expect((await store.get(id))?.document.updated).toBe(outcomes.indexOf('resolved'))
      })
    })

    describe('lists', () => {
      it('shows the entities of a kind in a namespace, last updated first', async () => {
        const store = await opened(open)
        const namespace = unique('guest')
        for (const [at, updated] of [30, 10, 20].entries()) {
          await store.put(`${namespace}/a${at}`, documentOf(namespace, 'action', updated))
        }
        await store.put(`${namespace}/t`, documentOf(namespace, 'trigger', 40))
        const elsewhere = unique('guest')
        await store.put(`${elsewhere}/a`, documentOf(elsewhere, 'action', 50))
        await store.put(`${namespace}2/a`, documentOf(`${namespace}2`, 'action', 60))
        expect(await updatedOf(store, { namespace, kind: 'action' })).toEqual([30, 20, 10])
        expect(await updatedOf(store, { namespace, kind: 'trigger' })).toEqual([40])
        expect(await updatedOf(store, { namespace, kind: 'rule' })).toEqual([])
      })

      it('gives whole documents with ids and revisions', async () => {
        const store = await opened(open)
        const namespace = unique('guest')
        const put = await store.put(`${namespace}/a`, { ...documentOf(namespace, 'action', 1), extra: { deep: [1] } })
        expect(await store.list({ namespace, kind: 'action', skip: 0, limit: 10 })).toEqual([put])
      })

      it("has the entities of packages in the namespace's list, and lists those of one package", async () => {
        const store = await opened(open)
        const namespace = unique('guest')
        await store.put(`${namespace}/a`, documentOf(namespace, 'action', 1))
        await store.put(`${namespace}/pkg/a`, documentOf(`${namespace}/pkg`, 'action', 2))
        await store.put(`${namespace}/pkg/b`, documentOf(`${namespace}/pkg`, 'action', 3))
        await store.put(`${namespace}/pkg2/a`, documentOf(`${namespace}/pkg2`, 'action', 4))
        expect(await updatedOf(store, { namespace, kind: 'action' })).toEqual([4, 3, 2, 1])
        expect(await updatedOf(store, { namespace, kind: 'action', packageName: 'pkg' })).toEqual([3, 2])
        expect(await updatedOf(store, { namespace, kind: 'action', packageName: 'none' })).toEqual([])
      })

      it('shows public packages: shared ones that are no bindings', async () => {
        const store = await opened(open)
        const namespace = unique('guest')
        const packageOf = (updated: number, publish: boolean, binding: object) => ({
          ...documentOf(namespace, 'package', updated),
          publish,
          binding,
        })
        await store.put(`${namespace}/public`, packageOf(1, true, {}))
        await store.put(`${namespace}/private`, packageOf(2, false, {}))
        await store.put(`${namespace}/bound`, packageOf(3, true, { namespace: 'other', name: 'pkg' }))
        expect(await updatedOf(store, { namespace, kind: 'package', publicOnly: true })).toEqual([1])
        expect(await updatedOf(store, { namespace, kind: 'package' })).toEqual([3, 2, 1])
        expect(await store.count({ namespace, kind: 'package', publicOnly: true, skip: 0 })).toBe(1)
      })

      it('skips and limits; a limit of 0 gives nothing', async () => {
        const store = await opened(open)
        const namespace = unique('guest')
        for (let at = 0; at < 12; at++) await store.put(`${namespace}/a${at}`, documentOf(namespace, 'action', at))
        expect(await updatedOf(store, { namespace, kind: 'action' }, 2, 3)).toEqual([9, 8, 7])
        expect(await updatedOf(store, { namespace, kind: 'action' }, 10, 5)).toEqual([1, 0])
        expect(await updatedOf(store, { namespace, kind: 'action' }, 12, 5)).toEqual([])
        expect(await updatedOf(store, { namespace, kind: 'action' }, 0, 0)).toEqual([])
      })

      it('counts what matches minus what is skipped, never below 0', async () => {
        const store = await opened(open)
        const namespace = unique('guest')
        for (let at = 0; at < 5; at++) await store.put(`${namespace}/a${at}`, documentOf(namespace, 'action', at))
        await store.put(`${namespace}/p/a`, documentOf(`${namespace}/p`, 'action', 9))
        expect(await store.count({ namespace, kind: 'action', skip: 0 })).toBe(6)
        expect(await store.count({ namespace, kind: 'action', skip: 2 })).toBe(4)
        expect(await store.count({ namespace, kind: 'action', skip: 100 })).toBe(0)
        expect(await store.count({ namespace, kind: 'action', packageName: 'p', skip: 0 })).toBe(1)
      })

      it('follows changes: of place in the list, of sharing, of kind, of deletion', async () => {
        const store = await opened(open)
        const namespace = unique('guest')
        const pkg = { ...documentOf(namespace, 'package', 1), publish: true, binding: {} }
        const first = await store.put(`${namespace}/p`, pkg)
        await store.put(`${namespace}/q`, { ...pkg, updated: 2 })
        const second = await store.put(`${namespace}/p`, { ...pkg, updated: 3 }, first.revision)
        expect(await updatedOf(store, { namespace, kind: 'package', publicOnly: true })).toEqual([3, 2])
        const third = await store.put(`${namespace}/p`, { ...pkg, updated: 4, publish: false }, second.revision)
        expect(await updatedOf(store, { namespace, kind: 'package', publicOnly: true })).toEqual([2])
        const fourth = await store.put(`${namespace}/p`, documentOf(namespace, 'rule', 5), third.revision)
        expect(await updatedOf(store, { namespace, kind: 'package' })).toEqual([2])
        expect(await updatedOf(store, { namespace, kind: 'rule' })).toEqual([5])
        await store.delete(`${namespace}/p`, fourth.revision)
        expect(await updatedOf(store, { namespace, kind: 'rule' })).toEqual([])
        expect(await store.count({ namespace, kind: 'rule', skip: 0 })).toBe(0)
      })

      it('shows two entities that were updated in the same millisecond', async () => {
        const store = await opened(open)
        const namespace = unique('guest')
        await store.put(`${namespace}/a`, documentOf(namespace, 'action', 7))
        await store.put(`${namespace}/b`, documentOf(namespace, 'action', 7))
        expect(await updatedOf(store, { namespace, kind: 'action' })).toEqual([7, 7])
      })
    })

    describe('identities', () => {
      it('finds the subject that holds a uuid, and no longer once it does not', async () => {
        const store = await opened(open)
        const [subject, uuid, other] = [unique('subject'), unique('uuid'), unique('uuid')]
        const id = `subject:${subject}`
        const first = await store.put(id, subjectOf(subject, [{ name: subject, uuid }]))
        expect(await store.identityByUuid(uuid)).toEqual(first)
        expect(await store.identityByUuid(other)).toBeUndefined()
        const second = await store.put(id, subjectOf(subject, [{ name: subject, uuid: other }]), first.revision)
        expect(await store.identityByUuid(uuid)).toBeUndefined()
        expect(await store.identityByUuid(other)).toEqual(second)
        await store.delete(id, second.revision)
        expect(await store.identityByUuid(other)).toBeUndefined()
      })

      it('finds every subject that holds a namespace', async () => {
        const store = await opened(open)
        const [namespace, a, b] = [unique('shared'), unique('a'), unique('b')]
        await store.put(
          `subject:${a}`,
          subjectOf(a, [
            { name: a, uuid: unique('u') },
            { name: namespace, uuid: unique('u') },
          ]),
        )
        await store.put(`subject:${b}`, subjectOf(b, [{ name: namespace, uuid: unique('u') }]))
        const idsOf = async (name: string) => (await store.identitiesOfNamespace(name)).map(({ id }) => id).sort()
        expect(await idsOf(namespace)).toEqual([`subject:${a}`, `subject:${b}`].sort())
        expect(await idsOf(a)).toEqual([`subject:${a}`])
        expect(await idsOf(unique('none'))).toEqual([])
      })

      it('keeps the limits of a namespace under their own id', async () => {
        const store = await opened(open)
        const namespace = unique('guest')
        const limits = { ...documentOf(namespace, 'limits', 1), invocationsPerMinute: 0 }
        await store.put(`limits:${namespace}`, limits)
        expect((await store.get(`limits:${namespace}`))?.document).toEqual(limits)
      })
    })

    describe('watch', () => {
      it('tells of writes and deletes until it is stopped', async () => {
        const store = await opened(open)
        const namespace = unique('guest')
        const seen = recorder<string>()
        const stop = store.watch(({ id, kind }) => {
          if (id.startsWith(`${namespace}/`)) seen.add(`${id.slice(namespace.length + 1)} ${kind}`)
        })
        const { revision } = await store.put(`${namespace}/a`, documentOf(namespace, 'action', 1))
        await store.put(`${namespace}/t`, documentOf(namespace, 'trigger', 1))
        await seen.take(2)
        await store.delete(`${namespace}/a`, revision)
        expect(await seen.take(3)).toEqual(['a action', 't trigger', 'a action'])
        stop()
        const other = recorder<string>()
        const stopOther = store.watch(({ id }) => other.add(id))
        await store.put(`${namespace}/b`, documentOf(namespace, 'action', 1))
        await other.take(1)
        stopOther()
        expect(seen.all.length).toBe(3)
      })
    })

    if (lasting) {
      describe('after a restart', () => {
        for (const how of ['close', 'crash'] as const) {
          it(`has every document in its lists and under its revision (${how}) [rel:R3]`, async () => {
            const { subject: store, reopen } = await openedTwice(open)
            const namespace = unique('guest')
            const [a] = await Promise.all([
              store.put(`${namespace}/a`, documentOf(namespace, 'action', 2)),
              store.put(`${namespace}/b`, documentOf(namespace, 'action', 1)),
            ])
            const gone = await store.put(`${namespace}/c`, documentOf(namespace, 'action', 3))
            await store.delete(`${namespace}/c`, gone.revision)
            const again = await reopen(how)
            expect(await again.get(`${namespace}/a`)).toEqual(a)
            expect(await updatedOf(again, { namespace, kind: 'action' })).toEqual([2, 1])
            await again.put(`${namespace}/a`, documentOf(namespace, 'action', 4), a.revision)
            expect(await updatedOf(again, { namespace, kind: 'action' })).toEqual([4, 1])
          })
        }
      })
    }
  })
}

function documentOf(namespace: string, entityType: EntityKind, updated: number): StoredDocument {
  return { entityType, namespace, updated, name: 'name', version: '0.0.1', publish: false, annotations: [] }
}

function subjectOf(subject: string, namespaces: { name: string; uuid: string }[]): StoredDocument {
  return { entityType: 'subject', namespace: subject, updated: 1, subject, blocked: false, namespaces }
}

async function updatedOf(
  store: ArtifactStore,
  query: Omit<ListQuery, 'skip' | 'limit'>,
  skip = 0,
  limit = 200,
): Promise<number[]> {
  return (await store.list({ ...query, skip, limit })).map(({ document }) => document.updated)
}
