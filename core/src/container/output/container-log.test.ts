import { describe, expect, it } from 'vitest'
import { manualClock } from '../../../contract/manual-clock.ts'
import { bounds } from '../../model/index.ts'
import { logSentinel, type LogReadOptions } from '../../spi/index.ts'
import { ContainerLog } from './container-log.ts'

const wait: LogReadOptions = { sentinels: 2, bytesMax: 1 << 20, idleMs: 2000, totalMs: 10_000 }

function open() {
  const clock = manualClock(Date.UTC(2016, 11, 2, 13, 41, 41, 555))
  const log = new ContainerLog(clock)
  const out = (text: string) => log.push('stdout', Buffer.from(text))
  const err = (text: string) => log.push('stderr', Buffer.from(text))
  return {
    clock,
    log,
    out,
    err,
    /** One run's output, then its sentinels. */
    run(text: string) {
      out(`${text}\n${logSentinel}\n`)
      err(`${logSentinel}\n`)
    },
  }
}

function texts(lines: readonly string[]): string[] {
  return lines.map(line => line.slice(39))
}

describe('ContainerLog', () => {
  it('formats a line as a record keeps it', async () => {
    const { log, out, err } = open()
    const reading = log.read(wait)
    out(`hello\n${logSentinel}\n`)
    err(`${logSentinel}\n`)
    expect((await reading).lines).toEqual(['2016-12-02T13:41:41.555000000Z stdout: hello'])
  })

  it('[platform:LOG-12] keeps the order of arrival over both streams', async () => {
    const { log, out, err, run } = open()
    out('1\n')
    err('2\n')
    out('3\n')
    run('4')
    expect(texts((await log.read(wait)).lines)).toEqual(['1', '2', '3', '4'])
  })

  it('settles in the tick in which the last sentinel comes', async () => {
    const { log, run } = open()
    let settled = false
    const reading = log.read(wait).then(() => (settled = true))
    run('x')
    await Promise.resolve()
    await Promise.resolve()
    expect(settled).toBe(true)
    await reading
  })

  it('counts sentinels, so that one read can end several runs', async () => {
    const { log, run } = open()
    run('a')
    run('b')
    run('c')
    expect(texts((await log.read({ ...wait, sentinels: 4 })).lines)).toEqual(['a', 'b'])
    expect(texts((await log.read(wait)).lines)).toEqual(['c'])
  })

  it('lets a second read wait for its turn', async () => {
    const { log, run } = open()
    const reads = [log.read(wait), log.read(wait)]
    run('a')
    run('b')
    expect((await Promise.all(reads)).map(({ lines }) => texts(lines))).toEqual([['a'], ['b']])
  })

  it('takes a line that contains the sentinel for one, and removes it', async () => {
    const { log, out, err } = open()
    out(`no newline before${logSentinel}\n`)
    err(`${logSentinel}\n`)
    expect(await log.read(wait)).toEqual({ lines: [], complete: true, truncated: false })
  })

  it('counts the formatted bytes against the limit: a line that fits exactly is kept', async () => {
    const { log, run } = open()
    const lineBytes = 39 + Buffer.byteLength('\u20ac\u20ac') + 1
    run('\u20ac\u20ac')
    expect(await log.read({ ...wait, bytesMax: lineBytes })).toMatchObject({ truncated: false, lines: { length: 1 } })
    run('\u20ac\u20ac')
    expect(await log.read({ ...wait, bytesMax: lineBytes - 1 })).toMatchObject({ truncated: true, lines: [] })
  })

  it('drops what follows the first line that did not fit', async () => {
    const { log, out, run } = open()
    out(`short\n${'long'.repeat(100)}\n`)
    run('short')
    expect(texts((await log.read({ ...wait, bytesMax: 150 })).lines)).toEqual(['short'])
  })

  it('sees a sentinel while it drops lines, also one cut over two chunks or glued to a line', async () => {
    const { log, out, err, run } = open()
    const reading = log.read({ ...wait, bytesMax: 10 })
    out(`too long\nmore\nand more${logSentinel.slice(0, 10)}`)
    out(`${logSentinel.slice(10)}\n`)
    err(`${logSentinel}\n`)
    expect(await reading).toEqual({ lines: [], complete: true, truncated: true })
    run('clean')
    expect(texts((await log.read(wait)).lines)).toEqual(['clean'])
  })

  it('gives up after the idle time, counted from the last output', async () => {
    const { clock, log, out } = open()
    let read: object | undefined
    void log.read(wait).then(result => (read = result))
    await clock.advance(1500)
    out('still there\n')
    await clock.advance(1900)
    expect(read).toBeUndefined()
    await clock.advance(200)
    expect(read).toMatchObject({ complete: false, lines: { length: 1 } })
  })

  it('gives up after the total time though output comes on and on', async () => {
    const { clock, log, out } = open()
    let read: object | undefined
    void log.read(wait).then(result => (read = result))
    for (let i = 0; i < 9; i++) {
      await clock.advance(1000)
      out('tick\n')
    }
    expect(read).toBeUndefined()
    await clock.advance(1002)
    expect(read).toMatchObject({ complete: false, truncated: false, lines: { length: 9 } })
  })

  it('looks once more before it gives up: output may lie ready when a busy process calls the timer', async () => {
    const { clock, log, run } = open()
    const reading = log.read(wait)
    await clock.advance(wait.idleMs)
    run('ready')
    expect(await reading).toMatchObject({ complete: true, lines: { length: 1 } })
  })

  it('leaves no timer behind, nor needs one when all is there', async () => {
    const clock = manualClock()
    const timers = new Set<object>()
    const log = new ContainerLog({
      ...clock,
      setTimer(ms, fn) {
        const { cancel } = clock.setTimer(ms, fn)
        const timer = { cancel: () => (cancel(), void timers.delete(timer)) }
        timers.add(timer)
        return timer
      },
    })
    const end = Buffer.from(`${logSentinel}\n${logSentinel}\n`)
    const reading = log.read(wait)
    expect(timers.size).toBe(1)
    log.push('stdout', end)
    await reading
    expect(timers.size).toBe(0)
    log.push('stdout', end)
    const second = log.read(wait)
    expect(timers.size).toBe(0)
    await second
  })

  it('drops late lines of a run that was given up, with its sentinel', async () => {
    const { clock, log, out, err, run } = open()
    err(`${logSentinel}\n`)
    const reading = log.read(wait)
    await clock.advance(2002)
    expect(await reading).toMatchObject({ complete: false })
    out(`late\n${logSentinel}\n`)
    run('next')
    expect(texts((await log.read(wait)).lines)).toEqual(['next'])
  })

  it('loses one more run at most when a sentinel never came', async () => {
    const { clock, log, err, run } = open()
    err(`${logSentinel}\n`)
    for (const given of ['', 'second']) {
      if (given) run(given)
      const reading = log.read(wait)
      await clock.advance(2002)
      expect(await reading).toMatchObject({ complete: false })
    }
    run('third')
    expect(await log.read(wait).then(({ lines, complete }) => [texts(lines), complete])).toEqual([['third'], true])
  })

  it('bounds what nobody reads, tells so, and starts the next run clean', async () => {
    const { log, out, run } = open()
    const line = `${'x'.repeat(1000)}\n`
    for (let bytes = 0; bytes < 2 * bounds.container.logBufferBytesMax; bytes += 64 * line.length) out(line.repeat(64))
    run('lost')
    const { lines, complete, truncated } = await log.read({ ...wait, bytesMax: Infinity })
    expect({ complete, truncated }).toEqual({ complete: true, truncated: true })
    const keptBytes = lines.reduce((sum, kept) => sum + kept.length + 1, 0)
    expect(keptBytes).toBeLessThan(bounds.container.logBufferBytesMax + 2000)
    expect(keptBytes).toBeGreaterThan(bounds.container.logBufferBytesMax - 2000)
    run('clean')
    expect(await log.read(wait)).toMatchObject({ truncated: false, complete: true, lines: { length: 1 } })
  })

  it('bounds sentinels that nobody reads', () => {
    const { log, out } = open()
    for (let i = 0; i < 100; i++) out(`${logSentinel}\n`.repeat(1000))
    expect(log.queued).toBeLessThanOrEqual(bounds.container.logSentinelsMax)
  })

  it('[platform:LOG-10] reads nothing from a container that has ended without a word', async () => {
    const { log } = open()
    log.end()
    expect(await log.read(wait)).toEqual({ lines: [], complete: false, truncated: false })
    expect(await log.read({ ...wait, sentinels: 0 })).toEqual({ lines: [], complete: true, truncated: false })
  })
})
