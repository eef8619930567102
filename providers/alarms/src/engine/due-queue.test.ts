import fc from 'fast-check'
import { expect, it } from 'vitest'
import { DueQueue } from './due-queue.ts'

it('gives items in the order of their instants, whatever order they came in', () => {
  fc.assert(
    fc.property(fc.array(fc.integer({ min: 0, max: 50 })), instants => {
      const queue = new DueQueue<number>()
      for (const atMs of instants) queue.push(atMs, atMs)
      const taken: number[] = []
      for (let item = queue.takeDue(50); item !== undefined; item = queue.takeDue(50)) taken.push(item)
      expect(taken).toEqual([...instants].sort((a, b) => a - b))
    }),
  )
})

it('keeps what is not due yet', () => {
  const queue = new DueQueue<string>()
  queue.push(20, 'late')
  queue.push(10, 'early')
  expect([queue.takeDue(9), queue.takeDue(10), queue.takeDue(19), queue.firstMs, queue.size]).toEqual([
    undefined,
    'early',
    undefined,
    20,
    1,
  ])
})

it('forgets what is not to be kept', () => {
  const queue = new DueQueue<number>()
  for (const n of [5, 3, 8, 1]) queue.push(n, n)
  queue.retain(n => n > 3)
  expect([queue.takeDue(9), queue.takeDue(9), queue.takeDue(9)]).toEqual([5, 8, undefined])
})
