import { describe, expect, it } from 'vitest'
import { bounds } from '../../model/index.ts'
import { isHeapExhausted, Tail } from './exit-cause.ts'

function tailOf(...texts: string[]): Tail {
  const tail = new Tail()
  for (const text of texts) tail.push(Buffer.from(text))
  return tail
}
const said = 'FATAL ERROR: Reached heap limit Allocation failed - JavaScript heap out of memory\n'

describe('isHeapExhausted', () => {
  it('is an abort that names the heap on stderr, as a signal or as a code', () => {
    expect(isHeapExhausted({ code: null, signal: 'SIGABRT' }, tailOf('<--- Last few GCs --->\n', said))).toBe(true)
    expect(isHeapExhausted({ code: 134, signal: null }, tailOf(said))).toBe(true)
    expect(isHeapExhausted({ code: null, signal: 'SIGTRAP' }, tailOf('# Fatal JavaScript out of memory: x'))).toBe(true)
  })

  it('is neither another abort nor another exit with that text', () => {
    expect(isHeapExhausted({ code: null, signal: 'SIGABRT' }, tailOf('Assertion failed'))).toBe(false)
    expect(isHeapExhausted({ code: 1, signal: null }, tailOf(said))).toBe(false)
    expect(isHeapExhausted({ code: null, signal: 'SIGKILL' }, tailOf(said))).toBe(false)
  })
})

describe('Tail', () => {
  it('keeps the end only, however small the pieces', () => {
    const tail = new Tail()
    for (let i = 0; i < 2 * bounds.container.stderrTailBytes; i++) tail.push(Buffer.from('x'))
    tail.push(Buffer.from('end'))
    expect(String(tail).endsWith('xend')).toBe(true)
    expect(String(tail).length).toBeLessThan(3 * bounds.container.stderrTailBytes)
  })
})
