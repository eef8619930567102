import { describe, expect, it } from 'vitest'
import { JobQueue, type Job } from './job-queue.ts'

type Named = Job & { name: string }

function job(name: string, sinceMs = 0): Named {
  return { name, awaited: name.startsWith('caller'), sinceMs, settle: () => undefined, fail: () => undefined }
}

function queueOf(...names: string[]): JobQueue {
  const queue = new JobQueue()
  names.forEach((name, i) => queue.push(job(name, i)))
  return queue
}

function taken(queue: JobQueue): string[] {
  const names = []
  for (let next = queue.shift(); next; next = queue.shift()) names.push((next as Named).name)
  return names
}

describe('runs that wait for a place', () => {
  it('are served in order of arrival, callers in turn with the bus', () => {
    expect(taken(queueOf('bus 1', 'bus 2', 'bus 3', 'caller 1', 'caller 2'))).toEqual([
      'caller 1',
      'bus 1',
      'caller 2',
      'bus 2',
      'bus 3',
    ])
    expect(taken(queueOf('caller 1', 'caller 2', 'caller 3'))).toEqual(['caller 1', 'caller 2', 'caller 3'])
  })

  it('keep their turn when the one taken is put back', () => {
    const queue = queueOf('bus 1', 'caller 1')
    const first = queue.shift() as Named
    queue.unshift(first)
    expect(taken(queue)).toEqual(['caller 1', 'bus 1'])
  })

  it('tell since when the first of them waits, and how many are before a further caller', () => {
    const queue = queueOf('bus 1', 'caller 1', 'bus 2', 'bus 3', 'bus 4')
    expect(queue.oldestMs).toBe(0)
    expect(queue.aheadOfCaller()).toBe(3)
    expect(queueOf('bus 1', 'bus 2').aheadOfCaller()).toBe(1)
    expect(queueOf('caller 1', 'caller 2').aheadOfCaller()).toBe(2)
    expect(queue.takeAll()).toHaveLength(5)
    expect(queue.length).toBe(0)
    expect(queue.oldestMs).toBeUndefined()
  })
})
