import { expect, it } from 'vitest'
import { seeded } from '../../testing/mutate.ts'
import { RangeTree } from './range-tree.ts'

it('finds each range that holds a number, once', () => {
  for (let seed = 0; seed < 200; seed++) {
    const next = seeded(seed)
    const ranges = Array.from({ length: 1 + next(20) }, (_, entry) => {
      const low = next(5) === 0 ? -Infinity : next(10)
      const high = next(5) === 0 ? Infinity : Math.max(low, 0) + 1 + next(5)
      return { low, lowOpen: next(2) === 0, high, highOpen: next(2) === 0, entry }
    })
    const tree = new RangeTree(ranges)
    for (let value = -1; value < 18; value += 0.5) {
      const found: number[] = []
      tree.find(value, entries => found.push(...entries))
      const expected = ranges.filter(
        ({ low, lowOpen, high, highOpen }) =>
          (lowOpen ? value > low : value >= low) && (highOpen ? value < high : value <= high),
      )
      expect(found.sort((a, b) => a - b)).toEqual(expected.map(({ entry }) => entry))
    }
  }
})
