import { once } from 'node:events'
import { mkdtempSync, rmSync } from 'node:fs'
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, expect, it, onTestFinished } from 'vitest'
import { systemClock, type Clock, type Container, type ContainerExit } from '../spi/index.ts'
import { createContainerClient } from './container-client.ts'
import { initFailure, runResponse } from './run-outcome.ts'
import { direct, setUp } from './testing/invoker-rig.ts'

/** What containers answer, or do not, on a real connection, and the response that it makes (platform.md §10.1). */

type Handler = (request: IncomingMessage, response: ServerResponse) => void

const mib = 1_048_576

async function open(handler: Handler, { timeoutMs = 5000, bytesMax = mib, clock = systemClock } = {}) {
  const folder = mkdtempSync(join(tmpdir(), 'sluice-answers-'))
  const socketPath = join(folder, 's')
  let requests = 0
  const server = createServer((request, response) => {
    requests++
    request.resume().on('end', () => handler(request, response))
  })
  let exit: (exit: ContainerExit) => void = () => undefined
  const exited = new Promise<ContainerExit>(resolve => (exit = resolve))
  const client = createContainerClient({ endpoint: { socketPath }, exited } as Container, clock, 50, 1)
  onTestFinished(async () => {
    client.close()
    server.closeAllConnections()
    if (server.listening) await new Promise(done => server.close(done))
    rmSync(folder, { recursive: true })
  })
  const limits = { timeoutMs, bytesMax, truncationBytes: bytesMax }
  return {
    exit,
    listen: () => new Promise<void>(done => server.listen(socketPath, done)),
    requests: () => requests,
    init: async () => initFailure(await client.init('{}', limits), timeoutMs),
    async run() {
      const outcome = await client.run('{}', limits)
      return outcome.kind === 'unsent' ? 'unsent' : runResponse(outcome, timeoutMs)
    },
  }
}

const answers =
  (status: number, text: string): Handler =>
  (_, response) =>
    response.writeHead(status, { 'content-length': Buffer.byteLength(text) }).end(text)
const hangsUp: Handler = request => request.socket.destroy()
const hangs: Handler = () => undefined

const invalid = 'The action did not produce a valid JSON or JSON Array response'
const initFailed = 'The action failed during initialization'
const abnormal = 'The action did not produce a valid response and exited unexpectedly.'
const exceeded = (bytes: number, max: number, body: string): string =>
  `The action produced a response that exceeded the allowed length: ${bytes} > ${max} bytes. The truncated response was: ${body}`

describe('the answer of /init', () => {
  it.each<[string, Handler, unknown]>([
    ['[platform:RSP-03] with an error', answers(502, '{"error":"x"}'), 'x'],
    ['[platform:RSP-04] with an error that is an object', answers(502, '{"error":{"a":1}}'), { a: 1 }],
    ['[platform:RSP-05] that is text', answers(500, 'boom'), `${initFailed}: boom`],
    ['[platform:RSP-05] that is empty', answers(500, ''), `${initFailed}.`],
    ['[platform:RSP-05] that is null', answers(500, 'null'), `${initFailed}.`],
    ['[platform:RSP-06] that is an array', answers(500, '[1]'), `${initFailed}: [1]`],
    ['[platform:RSP-06] without an error', answers(500, '{"a":1}'), `${initFailed}: {"a":1}`],
    ['[platform:RSP-07] that never came', hangsUp, 'The action did not initialize and exited unexpectedly.'],
  ])('%s', async (_, handler, error) => {
    const container = await open(handler)
    await container.listen()
    expect(await container.init()).toMatchObject({ statusCode: 2, result: { error } })
  })

  it('[platform:RSP-01] is waited for as long as the limit is', async () => {
    const container = await open(hangs, { timeoutMs: 100 })
    await container.listen()
    const error = 'The action exceeded its time limits of 100 milliseconds during initialization.'
    expect(await container.init()).toEqual({ statusCode: 2, result: { error } })
  })

  it('[platform:RSP-21] comes once from a container whose door opens late', async () => {
    let refused = 0
    const clock: Clock = {
      ...systemClock,
      async sleep() {
        if (++refused === 40) await container.listen()
      },
    }
    const container = await open(answers(200, '{"ok":true}'), { clock, timeoutMs: 60_000 })
    expect(await container.init()).toBeUndefined()
    expect([refused, container.requests()]).toEqual([40, 1])
  })
})

describe('the answer of /run', () => {
  it.each<[string, Handler, number, unknown]>([
    ['[platform:RSP-08] that is an empty object', answers(200, '{}'), 0, {}],
    ['[platform:RSP-09] with an error beside others', answers(200, '{"error":"e","b":1}'), 1, { error: 'e' }],
    ['[platform:RSP-10] that is an array', answers(200, '[1,"a"]'), 0, [1, 'a']],
    ['[platform:RSP-11] that is null', answers(200, 'null'), 2, { error: `${invalid}: null` }],
    ['[platform:RSP-11] that is a number', answers(200, '3'), 2, { error: `${invalid}: 3` }],
    ['[platform:RSP-11] that is a string', answers(200, '"s"'), 2, { error: `${invalid}: "s"` }],
    ['[platform:RSP-11] that is no JSON', answers(200, 'not json'), 2, { error: `${invalid}: not json` }],
    ['[platform:RSP-11] that is empty', answers(200, ''), 2, { error: `${invalid}.` }],
    ['[platform:RSP-12] of 502 with an error', answers(502, '{"error":"e"}'), 2, { error: 'e' }],
    ['[platform:RSP-12] of 500 without one', answers(500, '{"a":1}'), 2, { error: `${invalid}: {"a":1}` }],
    ['[platform:RSP-12] of 400 with an array', answers(400, '[1]'), 2, { error: `${invalid}: [1]` }],
    ['[platform:RSP-16] that never came', hangsUp, 2, { error: abnormal }],
    ['[platform:RSP-18] of 204', (_, response) => response.writeHead(204).end(), 2, { error: abnormal }],
    ['[platform:RSP-19] in chunks', (_, response) => void (response.write('{"a"'), response.end(':1}')), 0, { a: 1 }],
  ])('%s', async (_, handler, statusCode, result) => {
    const container = await open(handler)
    await container.listen()
    expect(await container.run()).toMatchObject({ statusCode, result })
  })

  it('[platform:RSP-02] is waited for as long as the limit is', async () => {
    const container = await open(hangs, { timeoutMs: 500 })
    await container.listen()
    const error = 'The action exceeded its time limits of 500 milliseconds.'
    expect(await container.run()).toEqual({ statusCode: 2, result: { error } })
  })

  it('[platform:RSP-13] [platform:RSP-15] may be as long as the limit, and one byte more is cut', async () => {
    const text = (bytes: number): string => `{"a":"${'x'.repeat(bytes - 8)}"}`
    const [fits, over] = [await open(answers(200, text(mib))), await open(answers(200, text(mib + 1)))]
    await fits.listen()
    await over.listen()
    expect(await fits.run()).toMatchObject({ statusCode: 0, size: mib })
    const response = await over.run()
    const error = exceeded(mib + 1, mib, text(mib + 1).slice(0, mib))
    expect(response === 'unsent' || response).toMatchObject({ statusCode: 1, size: mib + 1 })
    expect((response as { result: { error: string } }).result.error === error).toBe(true)
  })

  it('[platform:RSP-14] may be as long as its namespace has it', async () => {
    const { invoker, factory } = await setUp()
    factory.answer = path => ({ text: path === '/run' ? '{"a":"123"}' : '{}' })
    const message = direct('a'.repeat(32))
    const user = { ...message.user, limits: { maxPayloadSize: '10 B' } }
    const record = await invoker.run({ ...message, user }).outcome
    expect(record.response).toMatchObject({ statusCode: 1, result: { error: exceeded(11, 10, '{"a":"123"}') } })
  })

  it('[platform:RSP-17] that never came for want of memory, which is known a little later', async () => {
    const clock: Clock = {
      ...systemClock,
      sleep(ms, signal) {
        // It waits for the reason, which comes 300 ms after the connection broke.
        systemClock.setTimer(300, () => container.exit({ code: 137, oom: true }))
        return systemClock.sleep(ms, signal)
      },
    }
    const container = await open(hangsUp, { clock })
    await container.listen()
    expect(await container.run()).toEqual({
      statusCode: 2,
      result: { error: 'The action exhausted its memory and was aborted.' },
    })
  })

  it('[platform:RSP-20] is read no further than its limit where it does not say how long it is', async () => {
    let ended: Promise<unknown> | undefined
    const container = await open((_, response) => {
      ended = once(response, 'close')
      const more = (): void => {
        while (!response.destroyed && response.write('x'.repeat(10_000)));
      }
      response.on('drain', more)
      more()
    })
    await container.listen()
    const response = await container.run()
    expect(response).toMatchObject({ statusCode: 1 })
    const { error } = (response as { result: { error: string } }).result
    const [, bytes, max] = /exceeded the allowed length: (\d+) > (\d+) bytes\./.exec(error) ?? []
    expect([Number(bytes) > mib, Number(max), error.endsWith('x'.repeat(mib))]).toEqual([true, mib, true])
    await ended
    expect(await container.run()).toMatchObject({ statusCode: 1 })
  })

  it('[platform:RSP-22] is asked for once: of a container that is not there another one takes its place', async () => {
    const container = await open(answers(200, '{}'))
    expect(await container.run()).toBe('unsent')
    await container.listen()
    expect(container.requests()).toBe(0)
  })
})
