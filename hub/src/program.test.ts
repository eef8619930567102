import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, expect, it, onTestFinished, vi } from 'vitest'
import { SluiceError } from '@sluice/core/model'
import { runProgram, type ProgramHost } from './program.ts'
import type { Running, StandaloneTools } from './running.ts'

describe('the main program', () => {
  it('prints help and ends with 0', async () => {
    const stage = prepare()
    expect(await runProgram(['--help'], stage.host)).toBe(0)
    expect(stage.out()).toContain('Usage: npm start -- [options]')
    expect(stage.starts()).toBe(0)
  })

  it('ends with 2 and one line for an unknown option', async () => {
    const stage = prepare()
    expect(await runProgram(['--prot'], stage.host)).toBe(2)
    expect(stage.err()).toMatch(/^[^\n]*unknown option '--prot'[^\n]*\n$/)
    expect(stage.starts()).toBe(0)
  })

  it('ends with 2 and every mistake for a broken configuration', async () => {
    const stage = prepare({ env: { SLUICE_HTTP__PROT: '1', SLUICE_LOG__LEVEL: 'loud' } })
    expect(await runProgram(['--port', 'x'], stage.host)).toBe(2)
    expect(stage.err().split('\n')).toHaveLength(5)
    expect(stage.err()).toContain('SLUICE_HTTP__PROT: unknown setting http.prot')
    expect(stage.err()).toContain('--port: http.port must be')
  })

  it.each([
    ['SLUICE_ADDRESS_IN_USE', 'port 1 is taken'],
    ['SLUICE_DATA_DIR', 'the folder is in use'],
    ['SLUICE_CONFIG', 'nothing runs docker here'],
  ] as const)('ends with 2 and one line when the start fails with %s', async (code, text) => {
    const stage = prepare({ start: () => Promise.reject(new SluiceError(code, text)) })
    expect(await runProgram([], stage.host)).toBe(2)
    expect(stage.err()).toBe(`${text}\n`)
  })

  it('does not hide errors that are bugs', async () => {
    const stage = prepare({ start: () => Promise.reject(new Error('a bug')) })
    await expect(runProgram([], stage.host)).rejects.toThrow('a bug')
  })

  it('prints where the hub is, its key and three commands, then stops cleanly at a signal', async () => {
    const stage = prepare()
    const ended = runProgram(['--no-samples'], stage.host)
    await stage.printed('Events')
    expect(stage.out()).toContain('http://127.0.0.1:4711')
    expect(stage.out()).toContain(key)
    expect(stage.out().match(/^ {2}curl /gm)).toHaveLength(3)
    stage.signal('SIGINT')
    expect(await ended).toBe(0)
    expect(stage.stops()).toBe(1)
    expect(stage.exits()).toEqual([])
  })

  it('prints a line for each event while it runs, and none after', async () => {
    const stage = prepare()
    const ended = runProgram(['--no-samples'], stage.host)
    await stage.printed('Events')
    stage.emit()
    expect(stage.out()).toContain('alarms → tick → rule → hello')
    stage.signal('SIGTERM')
    await ended
    const before = stage.out()
    stage.emit()
    expect(stage.out()).toBe(before)
  })

  it('takes the Ctrl-C that npm passes on for the same one, and ends at once at a later one', async () => {
    const stage = prepare({ stop: () => new Promise(() => {}) })
    vi.useFakeTimers({ toFake: ['performance'] })
    onTestFinished(() => void vi.useRealTimers())
    void runProgram(['--no-samples'], stage.host)
    await stage.printed('Events')
    stage.signal('SIGINT')
    stage.signal('SIGINT')
    await stage.printed('Stopping')
    expect(stage.exits()).toEqual([])
    vi.advanceTimersByTime(1000)
    stage.signal('SIGINT')
    expect(stage.exits()).toEqual([130])
  })

  it('ends with 1 when stopping fails, and says why in the log', async () => {
    const stage = prepare({ stop: () => Promise.reject(new Error('the disk is full')) })
    const ended = runProgram(['--no-samples'], stage.host)
    await stage.printed('Events')
    stage.signal('SIGTERM')
    expect(await ended).toBe(1)
    expect(stage.err()).toContain('the disk is full')
  })

  it('logs an uncaught error once and ends with 1', async () => {
    const stage = prepare()
    void runProgram(['--no-samples'], stage.host)
    await stage.printed('Events')
    stage.uncaught(new Error('out of the blue'))
    stage.uncaught(new Error('and another'))
    expect(stage.exits()).toEqual([1])
    expect(stage.err()).toContain('out of the blue')
    expect(stage.err()).not.toContain('and another')
  })

  it('ends with 1 when a part of the hub fails for good', async () => {
    const stage = prepare()
    void runProgram(['--no-samples'], stage.host)
    await stage.printed('Events')
    stage.tools().onFatal(new Error('the bus is gone'))
    expect(stage.exits()).toEqual([1])
  })

  it('prints the effective configuration with secrets masked, and starts nothing', async () => {
    const stage = prepare({ env: { SLUICE_SECRETS__MASTER_KEY: 'ab'.repeat(32) } })
    expect(await runProgram(['--print-config', '--port', '1234'], stage.host)).toBe(0)
    expect(stage.out()).toContain('port: 1234')
    expect(stage.out()).toContain('masterKey: "***"')
    expect(stage.starts()).toBe(0)
  })
})

const key = `23bc46b1-0000-4ed5-8c54-816aa4f8c502:${'k'.repeat(64)}`

/** A host that records what the program does with it, and a hub that does nothing. */
function prepare(
  options: { env?: Record<string, string>; start?: ProgramHost['start']; stop?: () => Promise<void> } = {},
) {
  const dataDir = mkdtempSync(join(tmpdir(), 'sluice-program-'))
  onTestFinished(() => rmSync(dataDir, { recursive: true }))
  const text = { out: '', err: '' }
  const waiting: { word: string; resolve: () => void }[] = []
  const exits: number[] = []
  const listeners: Parameters<Running['events']['subscribe']>[0][] = []
  let signal: (name: 'SIGINT' | 'SIGTERM') => void = () => {}
  let uncaught: (error: Error) => void = () => {}
  let tools: StandaloneTools | undefined
  let starts = 0
  let stops = 0
  const running: Running = {
    port: 4711,
    apiHost: 'http://127.0.0.1:4711',
    guestKey: key,
    containers: 'processes of this user',
    events: {
      subscribe(listener) {
        listeners.push(listener)
        return () => void listeners.splice(listeners.indexOf(listener), 1)
      },
    },
    stop() {
      stops += 1
      return options.stop?.() ?? Promise.resolve()
    },
  }
  const record = (stream: 'out' | 'err') => (written: string) => {
    text[stream] += written
    for (const { word, resolve } of waiting) if (text.out.includes(word)) resolve()
  }
  const host: ProgramHost = {
    env: { SLUICE__DATA_DIR: dataDir, ...options.env },
    out: { write: record('out') },
    err: { write: record('err') },
    fileExists: () => false,
    onSignal: listener => (signal = listener),
    onUncaught: listener => (uncaught = listener),
    exit: code => void exits.push(code),
    async start(config, given) {
      starts += 1
      tools = given
      return options.start?.(config, given) ?? running
    },
  }
  return {
    host,
    out: () => text.out,
    err: () => text.err,
    exits: () => exits,
    starts: () => starts,
    stops: () => stops,
    signal: (name: 'SIGINT' | 'SIGTERM') => signal(name),
    uncaught: (error: Error) => uncaught(error),
    tools: () => tools as StandaloneTools,
    printed: (word: string) =>
      new Promise<void>(resolve => {
        if (text.out.includes(word)) resolve()
        else waiting.push({ word, resolve })
      }),
    emit: () => {
      const event = {
        atMs: 0,
        source: 'alarms',
        trigger: 'tick',
        rule: 'rule',
        action: 'hello',
        durationMs: 3,
        status: 'success',
        activationId: 'a'.repeat(32),
      }
      for (const listener of listeners) listener(event)
    },
  }
}
