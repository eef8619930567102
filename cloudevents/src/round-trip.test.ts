/** Format × binding: an event that goes through any message, or any two, is the same event. */
import fc from 'fast-check'
import { expect, it } from 'vitest'
import * as arbitrary from './testing/arbitrary.ts'
import { expectSameEvent } from './testing/conformance.ts'
import { ways } from './testing/ways.ts'

const seed = 20_260_501

it('knows every binding with every format', () => {
  expect(ways.map(({ name }) => name)).toHaveLength(7 + 4 * 5 + 3 * 4)
  expect(new Set(ways.map(({ name }) => name)).size).toBe(ways.length)
})

it.each(ways)('an event is the same after $name', ({ through, how }) => {
  fc.assert(
    fc.property(arbitrary.event, event => expectSameEvent(through(event), event, how)),
    { seed, numRuns: 40 },
  )
})

it('an event is the same after any two messages', () => {
  fc.assert(
    fc.property(arbitrary.event, fc.constantFrom(...ways), fc.constantFrom(...ways), (event, first, second) => {
      const once = first.through(event)
      expectSameEvent(once && second.through(once), event, { ...first.how, ...second.how })
    }),
    { seed, numRuns: 400 },
  )
})
