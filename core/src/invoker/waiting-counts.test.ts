import { describe, expect, it } from 'vitest'
import { createWaitingCounts } from './waiting-counts.ts'

describe('the counts of waiting runs', () => {
  it('refuse a namespace that has filled the queue, and not another [promise:P9]', () => {
    const counts = createWaitingCounts(10)
    for (let runs = 0; runs < 10; runs++) counts.enter('alice')
    expect(counts.full('alice')).toBe(true)
    expect(counts.full('bob')).toBe(false)
    for (let runs = 0; runs < 5; runs++) counts.enter('bob')
    expect(counts.full('bob')).toBe(true)
    counts.leave('bob')
    expect(counts.full('bob')).toBe(false)
  })

  it('are bounded whoever comes', () => {
    const counts = createWaitingCounts(10)
    for (let runs = 0; runs < 20; runs++) counts.enter(`namespace ${runs}`)
    expect(counts.full('another')).toBe(true)
    expect(counts.total()).toBe(20)
  })
})
