import { describe, expect, it } from 'vitest'
import { FairLanes } from './fair-lanes.ts'

describe('fair lanes', () => {
  it('keep half of the places from a key that is alone', () => {
    const lanes = filled({ alice: 10 })
    expect(taken(lanes, 8)).toEqual({ alice: 4 })
  })

  it('give a key that comes later a place at once, and then an even share', () => {
    const lanes = filled({ alice: 10 })
    taken(lanes, 8)
    lanes.park('bob', 'bob')
    lanes.park('bob', 'bob')
    lanes.park('bob', 'bob')
    expect(taken(lanes, 8)).toEqual({ bob: 2 })
    lanes.ended('alice')
    lanes.ended('alice')
    lanes.ended('alice')
    expect(taken(lanes, 8)).toEqual({ alice: 1 })
  })

  it('take keys in turn when there are more of them than places', () => {
    const lanes = filled({ a: 3, b: 3, c: 3, d: 3 })
    const order: string[] = []
    for (let item = lanes.next(2); item; item = lanes.next(2)) {
      lanes.began(item)
      order.push(item)
      lanes.ended(item)
    }
    expect(order.join('')).toBe('abcdabcdabcd')
  })
})

function filled(counts: Record<string, number>): FairLanes<string> {
  const lanes = new FairLanes<string>()
  for (const [key, count] of Object.entries(counts)) for (let n = 0; n < count; n++) lanes.park(key, key)
  return lanes
}

/** Begins all that may run now; by key. */
function taken(lanes: FairLanes<string>, places: number): Record<string, number> {
  const counts: Record<string, number> = {}
  for (let item = lanes.next(places); item; item = lanes.next(places)) {
    lanes.began(item)
    counts[item] = (counts[item] ?? 0) + 1
  }
  return counts
}
