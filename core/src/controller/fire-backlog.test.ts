import { describe, expect, it } from 'vitest'
import { FireBacklog } from './fire-backlog.ts'

describe('FireBacklog', () => {
  it('takes the oldest bytes out first', () => {
    const backlog = new FireBacklog()
    for (let fire = 0; fire < 1000; fire++) backlog.add('a', 1, 100)
    for (let fire = 0; fire < 1000; fire++) backlog.add('a', 1, 10_000)
    backlog.settle('a', 1000)
    expect(backlog.of('a')).toEqual({ runs: 1000, bytes: 10_000_000 })
  })

  it('comes to nothing when everything is settled, in each namespace', () => {
    const backlog = new FireBacklog()
    for (let fire = 0; fire < 2500; fire++) backlog.add('a', 3, 1000)
    backlog.add('b', 2, 7)
    for (let run = 0; run < 7500; run++) backlog.settle('a')
    expect(backlog.of('a')).toEqual({ runs: 0, bytes: 0 })
    expect(backlog.of('b')).toEqual({ runs: 2, bytes: 7 })
    expect(backlog.runs).toBe(2)
  })

  it('does not fall below nothing when more is settled than was counted', () => {
    const backlog = new FireBacklog()
    backlog.countedAll()
    backlog.settle('a', 5)
    backlog.add('a', 1, 1)
    expect(backlog.of('a').runs).toBe(1)
    backlog.settle('a', 9)
    backlog.add('a', 4, 1)
    expect(backlog.of('a').runs).toBe(4)
  })

  it('makes up for runs that were settled before they were counted', () => {
    const backlog = new FireBacklog()
    backlog.settle('a', 3)
    backlog.add('a', 2, 10)
    backlog.add('a', 2, 10)
    backlog.countedAll()
    expect(backlog.of('a')).toEqual({ runs: 1, bytes: 5 })
  })
})
