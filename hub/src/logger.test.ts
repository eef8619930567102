import { expect, it } from 'vitest'
import { createLog } from './logger.ts'

it('writes JSON lines with fields, message and a readable level and time', () => {
  const { log, lines } = capture('info')
  log.child({ component: 'invoker' }).info({ activationId: 'a' }, 'activation done')
  expect(lines()).toEqual([
    {
      level: 'info',
      time: expect.stringMatching(/^\d{4}-\d\d-\d\dT/),
      component: 'invoker',
      activationId: 'a',
      msg: 'activation done',
    },
  ])
})

it('never writes keys and payloads, even when somebody logs them', () => {
  const { log, lines } = capture('info')
  log.warn(
    { key: 'hunter2', user: { password: 'hunter2' }, headers: { authorization: 'hunter2' }, payload: { a: 'hunter2' } },
    'x',
  )
  expect(JSON.stringify(lines())).not.toContain('hunter2')
  expect(lines()[0]).toMatchObject({ key: '***' })
})

it('keeps the stack and cause of an error', () => {
  const { log, lines } = capture('info')
  log.error({ err: new Error('outer', { cause: new Error('inner') }) }, 'failed')
  expect(lines()[0]).toMatchObject({
    err: { message: expect.stringContaining('inner'), stack: expect.stringContaining('outer') },
  })
})

it('is quiet on a terminal unless told', () => {
  const quiet = capture(undefined, true)
  quiet.log.info({}, 'unseen')
  quiet.log.warn({}, 'seen')
  expect(quiet.lines().map(line => line.msg)).toEqual(['seen'])
  const piped = capture(undefined, false)
  piped.log.info({}, 'seen')
  piped.log.debug({}, 'unseen')
  expect(piped.lines().map(line => line.msg)).toEqual(['seen'])
})

function capture(level: Parameters<typeof createLog>[0], isTTY = false) {
  let text = ''
  const log = createLog(level, { isTTY, write: written => (text += written) })
  return {
    log,
    lines: () =>
      text
        .trim()
        .split('\n')
        .map(line => JSON.parse(line)),
  }
}
