import { describe, expect, it } from 'vitest'
import { bounds } from '../model/index.ts'
import { openMemoryBackend } from '../backend/memory/index.ts'
import { systemClock, systemRandom, type StoredDocument } from '../spi/index.ts'
import { createEntityCache } from './entity-cache.ts'

const action = (code: string): StoredDocument => ({
  entityType: 'action',
  namespace: 'guest',
  updated: 1,
  exec: { kind: 'nodejs:20', binary: false, code },
})

async function withOne() {
  let nowMs = 0
  const { artifacts } = openMemoryBackend({ clock: systemClock, random: systemRandom })
  const stored = await artifacts.put('guest/a', action('x'))
  const reads: string[] = []
  const { get } = artifacts
  artifacts.get = id => (reads.push(id), get(id))
  const cache = createEntityCache({ artifacts, clock: { ...systemClock, monotonicMs: () => nowMs } })
  return { artifacts, cache, reads, stored, pass: (ms: number) => void (nowMs += ms) }
}

describe('createEntityCache', () => {
  it('reads once for many that ask at the same time, and leaves the code out', async () => {
    const { cache, reads } = await withOne()
    const found = await Promise.all([cache.get('guest/a'), cache.get('guest/a'), cache.get('guest/a')])
    expect(reads).toEqual(['guest/a'])
    expect(found[0]?.document['exec']).toEqual({ kind: 'nodejs:20', binary: false })
    expect(cache.get('guest/a')).toBe(found[0])
  })

  it('does not remember what is missing', async () => {
    const { cache, artifacts } = await withOne()
    expect(await cache.get('guest/b')).toBeUndefined()
    await artifacts.put('guest/b', action('x'))
    expect(await cache.get('guest/b')).toBeDefined()
  })

  it('drops what the store says was changed, and everything after a minute', async () => {
    const { cache, artifacts, reads, stored, pass } = await withOne()
    await cache.get('guest/a')
    await artifacts.put('guest/a', action('y'), stored.revision)
    expect(cache.peek('guest/a')).toBeUndefined()
    await cache.get('guest/a')
    pass(bounds.api.entityCacheTtlMs)
    expect(cache.peek('guest/a')).toBeUndefined()
    await cache.get('guest/a')
    expect(reads).toHaveLength(3)
  })

  it('gives one object for one revision, however often it is read', async () => {
    const { cache, artifacts, reads, stored, pass } = await withOne()
    const first = await cache.get('guest/a')
    pass(bounds.api.entityCacheTtlMs)
    expect(await cache.get('guest/a')).toBe(first)
    expect(reads).toHaveLength(2)
    pass(bounds.api.entityCacheTtlMs)
    await artifacts.put('guest/a', action('y'), stored.revision)
    expect(await cache.get('guest/a')).not.toBe(first)
  })

  it('keeps nothing of a load that a write overtook', async () => {
    const { cache, artifacts } = await withOne()
    const { get } = artifacts
    artifacts.get = async id => {
      const stored = await get(id)
      cache.drop(id)
      return stored
    }
    expect(await cache.get('guest/a')).toBeDefined()
    expect(cache.peek('guest/a')).toBeUndefined()
  })

  it('asks again after the store failed', async () => {
    const { cache, artifacts } = await withOne()
    const { get } = artifacts
    artifacts.get = () => Promise.reject(new Error('away'))
    await expect(cache.get('guest/a')).rejects.toThrow('away')
    artifacts.get = get
    expect(await cache.get('guest/a')).toBeDefined()
  })
})
