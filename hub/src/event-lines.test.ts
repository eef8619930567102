import { describe, expect, it } from 'vitest'
import type { Clock } from '@sluice/core/spi'
import { createEventFormat, printEvents } from './event-lines.ts'
import type { HubEvent } from './running.ts'

const event: HubEvent = {
  atMs: new Date(2026, 0, 2, 3, 4, 5, 67).getTime(),
  source: 'alarms',
  trigger: 'every-10-seconds',
  rule: 'tell-the-time',
  action: 'hello-clock',
  durationMs: 12.4,
  status: 'success',
  activationId: '0123456789abcdef0123456789abcdef',
}

describe('event lines', () => {
  it('show when, the way, duration, outcome and activation id', () => {
    expect(format(event)).toBe(
      '03:04:05.067  alarms → every-10-seconds → tell-the-time → hello-clock     12 ms  success                 0123456789abcdef0123456789abcdef',
    )
  })

  it('leave out trigger and rule of a direct invoke', () => {
    expect(format({ ...event, source: 'api', trigger: undefined, rule: undefined })).toContain('api → hello-clock ')
  })

  it('keep their columns, and widen them for the next lines when they must', () => {
    const one = createEventFormat({ write: () => {} })
    const short = { ...event, source: 'api', trigger: undefined, rule: undefined }
    const long = one(event)
    expect(one(short).indexOf('success')).toBe(long.indexOf('success'))
  })

  it('let no name from outside control the terminal or fill it', () => {
    const line = format({ ...event, source: '\u001b[2Jevil\n\u202e', action: 'a'.repeat(500) })
    expect(line).toContain('?[2Jevil??')
    expect(line).not.toContain('\n')
    expect(line).not.toContain('\u001b')
    expect(line.length).toBeLessThan(200)
  })

  it('are coloured on a terminal only', () => {
    expect(format(event)).not.toContain('\u001b[')
  })

  it('count what is beyond a screenful in a second, and tell it', () => {
    let nowMs = 5000
    const clock = { monotonicMs: () => nowMs } as Clock
    let text = ''
    let listener: (event: HubEvent) => void = () => {}
    const feed = { subscribe: (given: typeof listener) => ((listener = given), () => {}) }
    const stop = printEvents(feed, { write: (written: string) => (text += written) }, clock)
    for (let i = 0; i < 53; i++) listener(event)
    expect(text.match(/success/g)).toHaveLength(50)
    nowMs += 1000
    listener(event)
    expect(text).toContain('... and 3 more in that second\n')
    expect(text.match(/success/g)).toHaveLength(51)
    for (let i = 0; i < 50; i++) listener(event)
    stop()
    expect(text.endsWith('... and 1 more in that second\n')).toBe(true)
  })
})

function format(given: HubEvent): string {
  return createEventFormat({ write: () => {} })(given)
}
