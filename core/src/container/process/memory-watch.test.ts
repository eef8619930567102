import { describe, expect, it } from 'vitest'
import { manualClock } from '../../../contract/manual-clock.ts'
import { bounds } from '../../model/index.ts'
import type { Logger } from '../../spi/index.ts'
import { MemoryWatch, type Watched } from './memory-watch.ts'
import type { ProcessInfo } from './process-table.ts'

const quiet = () => undefined
const log: Logger = { error: quiet, warn: quiet, info: quiet, debug: quiet, child: () => log }

function open() {
  const clock = manualClock()
  const resident = new Map<number, number>()
  const table = {
    fresh: [] as ProcessInfo[],
    proportional: undefined as number | undefined,
    looks: 0,
    samples: 0,
    list: async () => [],
    async appeared() {
      table.looks++
      return table.fresh.splice(0)
    },
    async residentBytes(pids: readonly number[]) {
      table.samples++
      return new Map(pids.flatMap(pid => (resident.has(pid) ? [[pid, resident.get(pid) ?? 0]] : [])))
    },
    async proportionalBytes() {
      return table.proportional ?? [...resident.values()].reduce((sum, bytes) => sum + bytes, 0)
    },
  }
  const watch = new MemoryWatch({ table, clock, log, sampleMs: 200 })
  function watched(leader: number): Watched & { over: string[]; suspended: boolean } {
    const over: string[] = []
    resident.set(leader, 50)
    return {
      marker: `m${leader}`,
      leader,
      memoryBytesMax: 100,
      suspended: false,
      followers: new Map(),
      over,
      exceeded: limit => void over.push(limit),
    }
  }
  return { clock, resident, table, watch, watched }
}

function child(pid: number, parent: number, marker?: string): ProcessInfo {
  return { pid, parent, group: pid, started: 't', marker }
}

describe('MemoryWatch', () => {
  it('tells once when a container is over its memory, and not when it is exactly at it', async () => {
    const { clock, resident, watch, watched } = open()
    const [one, other] = [watched(1000), watched(2000)]
    watch.add(one)
    watch.add(other)
    resident.set(1000, 100)
    await clock.advance(200)
    expect(one.over).toEqual([])
    resident.set(1000, 101)
    await clock.advance(1000)
    expect(one.over).toEqual(['memory'])
    expect(other.over).toEqual([])
  })

  it('adds the memory of new processes, found by marker or by parent', async () => {
    const { clock, resident, table, watch, watched } = open()
    const one = watched(1000)
    watch.add(one)
    await clock.advance(200)
    table.fresh = [child(1001, 1, 'm1000'), child(1002, 1001), child(1003, 1)]
    resident.set(1001, 20).set(1002, 31).set(1003, 1000)
    await clock.advance(bounds.container.processLookMs)
    expect([...one.followers.keys()]).toEqual([1001, 1002])
    expect(one.over).toEqual(['memory'])
  })

  it('counts pages that processes share once before it ends anything', async () => {
    const { clock, resident, table, watch, watched } = open()
    const one = watched(1000)
    one.followers.set(1001, 't')
    resident.set(1001, 60)
    table.proportional = 90
    watch.add(one)
    await clock.advance(400)
    expect(one.over).toEqual([])
    table.proportional = 101
    await clock.advance(200)
    expect(one.over).toEqual(['memory'])
  })

  it('ends a container with too many processes', async () => {
    const { clock, resident, table, watch, watched } = open()
    const one = watched(1000)
    // Ids that no process of this machine has: the watch passes over its own.
    table.fresh = Array.from({ length: bounds.container.processesMax }, (_, index) => child(5_000_000 + index, 1000))
    for (const { pid } of table.fresh) resident.set(pid, 0)
    watch.add(one)
    await clock.advance(200)
    expect(one.over).toEqual(['processes'])
  })

  it('forgets processes that are gone', async () => {
    const { clock, watch, watched } = open()
    const one = watched(1000)
    one.followers.set(1001, 't')
    watch.add(one)
    await clock.advance(200)
    expect([...one.followers.keys()]).toEqual([])
  })

  it('passes over suspended containers', async () => {
    const { clock, resident, watch, watched } = open()
    const one = watched(1000)
    one.suspended = true
    resident.set(1000, 500)
    watch.add(one)
    await clock.advance(400)
    expect(one.over).toEqual([])
    one.suspended = false
    await clock.advance(200)
    expect(one.over).toEqual(['memory'])
  })

  it('looks for new processes once a second, at each sample while there are any', async () => {
    const { clock, table, watch, watched } = open()
    watch.add(watched(1000))
    await clock.advance(2000)
    expect(table.looks).toBe(2)
    table.fresh = [child(1001, 1000)]
    await clock.advance(400)
    expect(table.looks).toBe(4)
  })

  it('runs no timer while there are no containers', async () => {
    const { clock, table, watch, watched } = open()
    const one = watched(1000)
    watch.add(one)
    await clock.advance(200)
    watch.remove(one)
    await clock.advance(10_000)
    expect(table.samples).toBe(1)
    watch.add(one)
    await clock.advance(200)
    expect(table.samples).toBe(2)
  })
})
