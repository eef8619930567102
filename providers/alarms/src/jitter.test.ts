import { expect, it } from 'vitest'
import { delaySeconds, readDefaultStrict, readDelayLimit } from './jitter.ts'

it.each([
  ['T', [7, 22, 24]],
  ['periodic', [3, 26, 3]],
  ['nightly-backup', [4, 28, 26]],
  ['a', [9, 4, 37]],
])('the trigger name %s has the second it had upstream', (name, seconds) => {
  expect([10, 30, 59].map(limit => delaySeconds(name, limit))).toEqual(seconds)
})

it('a limit outside 0..59 is off, and only `true` makes strict the default', () => {
  expect([0, 59, '30', 60, -1, 'x', undefined, 1.5].map(readDelayLimit)).toEqual([0, 59, 30, 0, 0, 0, 0, 0])
  expect([true, 'true', 'True', 1, undefined].map(readDefaultStrict)).toEqual([true, true, false, false, false])
})
