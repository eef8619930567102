import { describe, expect, it } from 'vitest'
import { CleanupGate } from './cleanup-gate.ts'

const never = new AbortController().signal

describe('the gate of cleanups', () => {
  it('is open until a cleanup begins, and again when every one of them is over, however it ended', async () => {
    const gate = new CleanupGate()
    await gate.pass(never)
    let fail: (error: Error) => void = () => undefined
    let finish: () => void = () => undefined
    const failing = gate.hold(new Promise<void>((_, reject) => (fail = reject)))
    const slow = gate.hold(new Promise<void>(resolve => (finish = resolve)))
    let through = false
    const passing = gate.pass(never).then(() => (through = true))
    fail(new Error('the engine is away'))
    await expect(failing).rejects.toThrow('the engine is away')
    expect(through).toBe(false)
    finish()
    await slow
    await passing
    await gate.passed()
  })

  it('keeps nobody who has to go', async () => {
    const gate = new CleanupGate()
    void gate.hold(new Promise(() => undefined))
    const stop = new AbortController()
    const passing = gate.pass(stop.signal)
    stop.abort(new Error('shutting down'))
    await expect(passing).rejects.toThrow('shutting down')
    await expect(gate.pass(stop.signal)).rejects.toThrow('shutting down')
  })
})
