import { expect, it } from 'vitest'
import { createReadiness } from './readiness.ts'

it('names every part that is missing, and why', () => {
  const readiness = createReadiness()
  let queue: string | undefined = 'the queue is full'
  readiness.missing('store', 'still opening')
  readiness.probe('invoker', () => queue)
  expect(readiness.report()).toEqual({ store: 'still opening', invoker: 'the queue is full' })
  readiness.ready('store')
  queue = undefined
  expect(readiness.report()).toEqual({})
})
