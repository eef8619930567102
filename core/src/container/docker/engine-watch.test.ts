import { createServer, type ServerResponse } from 'node:http'
import { describe, expect, it, onTestFinished, vi } from 'vitest'
import { systemClock } from '../../spi/index.ts'
import { openEngine, type EngineEvent } from './engine.ts'
import { EngineWatch } from './engine-watch.ts'
import { testLog } from './testing/test-engine.ts'

/** The engine's events and its ping on loopback. */
async function setUp() {
  const streams: ServerResponse[] = []
  const pings: (() => void)[] = []
  let answers = true
  const server = createServer((request, response) => {
    if (request.url?.includes('/events') === true) {
      streams.push(response)
      return response.writeHead(200).flushHeaders()
    }
    response.writeHead(answers ? 200 : 503).end()
    for (const told of pings.splice(0)) told()
  })
  await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve))
  onTestFinished(() => void server.close().closeAllConnections())
  const { port } = server.address() as { port: number }
  // Nothing waits for long.
  const clock = { ...systemClock, sleep: (_ms: number, signal?: AbortSignal) => systemClock.sleep(1, signal) }
  const events: EngineEvent[] = []
  const returns: number[] = []
  const watch = new EngineWatch({
    engine: await openEngine({ host: '127.0.0.1', port }, clock),
    clock,
    log: testLog,
    labels: [],
    onEvent: event => events.push(event),
    onReturn: () => returns.push(watch.gaps),
  })
  onTestFinished(() => watch.close())
  await watch.start()
  return {
    watch,
    events,
    returns,
    say: (event: object) => streams.at(-1)?.write(`${JSON.stringify(event)}\n`),
    hangUp: () => streams.at(-1)?.destroy(),
    answer: (value: boolean) => (answers = value),
    pinged: () => new Promise<void>(resolve => pings.push(resolve)),
  }
}

describe('what is heard of an engine', () => {
  it('is events, kills with their signal', async () => {
    const { events, say } = await setUp()
    say({ Type: 'container', Action: 'kill', Actor: { ID: 'a', Attributes: { signal: '9', image: 'x' } } })
    say({ Type: 'container', Action: 'die', Actor: { ID: 'a', Attributes: { exitCode: '137' } } })
    say({ status: 'oom', id: 'b', Action: 'oom' })
    await vi.waitFor(() => expect(events).toHaveLength(3))
    expect(events).toEqual([
      { id: 'a', action: 'kill', signal: 9 },
      { id: 'a', action: 'die' },
      { id: 'b', action: 'oom' },
    ])
  })

  it('has gaps while it is away, and it is back when it is heard again', async () => {
    const { hangUp, returns, watch } = await setUp()
    expect([watch.up, watch.gaps]).toEqual([true, 0])
    hangUp()
    await vi.waitFor(() => expect(returns).toEqual([1]))
    await watch.back()
    expect([watch.up, watch.gaps]).toEqual([true, 1])
  })

  it('[rel:R8] does not bring it back while it takes no calls, as when it is being stopped', async () => {
    const { answer, pinged, watch } = await setUp()
    answer(false)
    let back = false
    const returned = watch.back().then(() => (back = true))
    await pinged()
    await pinged()
    expect([watch.up, back]).toEqual([true, false])
    answer(true)
    await returned
  })
})
