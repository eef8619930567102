import { afterEach, describe, expect, it, onTestFinished, vi } from 'vitest'
import { filterLimits } from '../limits.ts'
import { createChildEvaluator } from './evaluator-lanes.ts'

/** Nothing stops it from inside: its process runs out of memory. With `n` 0 it is a good one. */
const costly = (name: string) => `n = 0 ? "${name}" : $length($pad("x", 50000000))`
const refused = { kind: 'time', message: 'the expression ended its process before and is not asked for a while' }

let nowMs = 0
afterEach(() => vi.restoreAllMocks())

function open() {
  nowMs = 1000
  vi.spyOn(performance, 'now').mockImplementation(() => nowMs)
  const jsonata = createChildEvaluator()
  onTestFinished(() => jsonata.close())
  const outcome = (expression: string, n: number): Promise<unknown> =>
    jsonata.evaluate(expression, { n }).catch((error: { kind: string; message: string }) => error)
  return { jsonata, outcome, pass: (ms: number) => void (nowMs += ms) }
}

const ended = expect.objectContaining({
  kind: expect.stringMatching(/size|time/),
  message: expect.stringMatching(/memory|too long/),
})

describe('an expression that ended its process', () => {
  it('keeps nobody waiting when it is asked again', async () => {
    const { outcome, pass } = open()
    const all = ['a', 'b', 'c', 'd'].map(costly)
    for (const expression of all) expect(await outcome(expression, 1)).toEqual(ended)
    pass(filterLimits.jsonataPauseMs)
    const order: string[] = []
    const again = all.map(expression => outcome(expression, 1).then(() => order.push('costly')))
    const other = outcome('n + 1', 1).then(result => order.push(`other: ${String(result)}`))
    await Promise.all([...again, other])
    expect(order.at(-1)).toBe('costly')
    expect(order).toContain('other: 2')
  })

  it('is asked no more for a while, twice as long each time in a row, and from the beginning after a success', async () => {
    const { outcome, pass } = open()
    const expression = costly('a')
    const pausesFor = async (ms: number): Promise<void> => {
      expect(await outcome(expression, 1)).toEqual(ended)
      pass(ms - 1)
      expect(await outcome(expression, 1)).toMatchObject(refused)
      pass(1)
    }
    await pausesFor(filterLimits.jsonataPauseMs)
    await pausesFor(2 * filterLimits.jsonataPauseMs)
    await pausesFor(4 * filterLimits.jsonataPauseMs)
    for (let time = 0; time < 2; time++) {
      expect(await outcome(expression, 0)).toBe('a')
      await pausesFor(filterLimits.jsonataPauseMs)
    }
  })

  it('does so once for all that wait with it', async () => {
    const { outcome } = open()
    const [first, ...others] = await Promise.all(Array.from({ length: 5 }, () => outcome(costly('a'), 1)))
    expect(first).toEqual(ended)
    expect(others).toHaveLength(4)
    for (const one of others) expect(one).toMatchObject(refused)
  })
})
