import { connect, type Socket } from 'node:net'
import { text as readText } from 'node:stream/consumers'
import { describe, expect, it, onTestFinished } from 'vitest'
import { bounds } from '../model/index.ts'
import { systemClock, type Clock } from '../spi/index.ts'
import { basic, createFixture, guest, nodeAction, type Fixture } from './testing/fixture.ts'

/** What comes over a real socket: half-sent, endless, broken. The server answers in kind and serves the next request. */

type Served = Fixture & { port: number }

async function serve(clock?: Clock): Promise<Served> {
  const fixture = await createFixture(clock === undefined ? {} : { clock })
  await fixture.call('PUT', '~actions/a', nodeAction)
  const { port } = await fixture.controller.start({ host: '127.0.0.1', port: 0 })
  onTestFinished(() => fixture.controller.stop())
  return { ...fixture, port }
}

async function open(port: number): Promise<Socket> {
  const socket = connect(port, '127.0.0.1')
  onTestFinished(() => void socket.destroy())
  await new Promise<void>((resolve, reject) => socket.once('connect', resolve).once('error', reject))
  return socket
}

/** Sends bytes, then reads one answer, or what there is when the server closes. */
async function exchange(port: number, bytes: string): Promise<{ status: number; head: string; body: string }> {
  const socket = await open(port)
  socket.write(bytes)
  let answer = ''
  for await (const chunk of socket) {
    answer += String(chunk)
    const end = answer.indexOf('\r\n\r\n')
    const length = Number(/content-length: (\d+)/i.exec(answer)?.[1] ?? 0)
    if (end >= 0 && answer.length >= end + 4 + length) break
  }
  const end = answer.indexOf('\r\n\r\n')
  return { status: Number(answer.split(' ')[1]), head: answer.slice(0, end), body: answer.slice(end + 4) }
}

function head(method: string, path: string, ...headers: string[]): string {
  const lines = [`${method} ${path} HTTP/1.1`, 'Host: x', `Authorization: ${basic(guest)}`, ...headers]
  return `${lines.join('\r\n')}\r\n\r\n`
}

const invoke = '/api/v1/namespaces/_/actions/a'
const json = 'Content-Type: application/json'

describe('bodies', () => {
  it('are capped while they stream in, though no length was announced', async () => {
    const { port, invoked } = await serve()
    const chunk = `10000\r\n${'x'.repeat(0x10000)}\r\n`
    const { status, body } = await exchange(
      port,
      head('POST', invoke, json, 'Transfer-Encoding: chunked') + chunk.repeat(17),
    )
    expect(status).toBe(413)
    expect(JSON.parse(body)).toMatchObject({
      error: expect.stringMatching(/^Request larger than allowed: \d+ > 1048576 bytes\.$/),
    })
    expect(invoked).toEqual([])
  })

  it('of more than 50 MiB are refused before they come, known caller or not', async () => {
    const { port } = await serve()
    const length = 'Content-Length: 60000000'
    const known = await exchange(port, head('PUT', `${invoke}2`, json, length))
    const unknown = await exchange(port, `PUT ${invoke} HTTP/1.1\r\nHost: x\r\n${length}\r\n\r\n`)
    for (const { status, body } of [known, unknown]) {
      expect(status).toBe(413)
      expect(body).toContain('The request content is larger than the server is willing or able to process.')
    }
  })

  it('that are refused do not cost the connection, and nothing of them is taken for a request', async () => {
    const { port, invoked } = await serve()
    const socket = await open(port)
    const length = 2_000_000
    socket.write(head('POST', invoke, json, `Content-Length: ${length}`))
    socket.write('x'.repeat(length))
    socket.write(head('POST', invoke, 'Content-Length: 0', 'Connection: close'))
    const statuses = [...(await readText(socket)).matchAll(/HTTP\/1\.1 (\d+)/g)].map(([, status]) => status)
    expect(statuses).toEqual(['413', '202'])
    expect(invoked).toHaveLength(1)
  })

  it('that are refused while they come are so in words, also when the connection ends with them', async () => {
    const { port } = await serve()
    const length = 10 * 1024 * 1024
    const socket = await open(port)
    socket.write(head('POST', invoke, json, `Content-Length: ${length}`, 'Connection: close'))
    // Reads only when all is sent, as simple clients do: a reset would make the write fail.
    await new Promise<void>((sent, fail) =>
      socket.once('error', fail).write('['.repeat(length), error => (error ? fail(error) : sent())),
    )
    const answer = await readText(socket)
    expect(answer).toContain(`Request larger than allowed: ${length} > 1048576 bytes.`)
    expect(answer).toMatch(/^HTTP\/1\.1 413 /)
  })

  it('that stop half-way end the connection, and the next request is served', async () => {
    const { port, call, invoked } = await serve()
    const socket = await open(port)
    socket.end(`${head('POST', invoke, json, 'Content-Length: 100')}{"half":`)
    await readText(socket)
    expect(invoked).toEqual([])
    expect((await call('POST', '~actions/a', {})).status).toBe(202)
  })

  it('that are too slow are answered with 408', async () => {
    let offsetMs = 0
    const clock: Clock = {
      ...systemClock,
      monotonicMs: () => performance.now() + offsetMs,
      // The sweep rings at once, and half a minute has gone by.
      setTimer: (_ms, fn, options) => systemClock.setTimer(20, () => ((offsetMs += 31_000), fn()), options),
    }
    const { port } = await serve(clock)
    const { status, body } = await exchange(port, `${head('POST', invoke, json, 'Content-Length: 100')}{`)
    expect(status).toBe(408)
    expect(JSON.parse(body)).toMatchObject({ error: 'The server timed out waiting for the request.' })
  })

  it('of ten million brackets, or of deep nesting, are refused unparsed', async () => {
    const { call } = await serve()
    const headers = { 'content-type': 'application/json' }
    for (const body of ['['.repeat(10_000_000), `{"a":${'['.repeat(200)}${']'.repeat(200)}}`]) {
      const { status, json } = await call('PUT', '~actions/b', body, { headers })
      expect(status).toBe(400)
      expect(json.error).toContain('nested too deeply')
    }
    const many = await call('POST', '~actions/a', `{"a":[${'1,'.repeat(200_000)}1]}`, { headers })
    expect([many.status, many.json.error]).toEqual([
      400,
      'The request content was malformed:\nJSON input has more than 100000 values and keys',
    ])
  })

  it('that are no UTF-8 are data, not a failure', async () => {
    const { call, invoked } = await serve()
    const body = Buffer.concat([Buffer.from('{"a":"'), Buffer.from([0xff, 0xfe, 0xc0]), Buffer.from('"}')])
    expect((await call('POST', '~actions/a', body)).status).toBe(202)
    expect(invoked[0]?.payloadKeys).toEqual(['a'])
  })
})

describe('requests that are none', () => {
  it('get the envelope all the same', async () => {
    const { port } = await serve()
    const { status, body } = await exchange(port, 'what is this\r\n\r\n')
    expect(status).toBe(400)
    expect(Object.keys(JSON.parse(body) as object)).toEqual(['error', 'code'])
  })

  it('with headers beyond 16 KiB get 431', async () => {
    const { port } = await serve()
    const { status } = await exchange(port, head('GET', '/ping', `X-Long: ${'x'.repeat(20_000)}`))
    expect(status).toBe(431)
  })

  it('with odd targets and methods get an answer below 500', async () => {
    const { port } = await serve()
    for (const line of [
      'GET http://x/ping',
      'OPTIONS *',
      'GET /api/v1/namespaces/%00/actions',
      'GET /api/v1/namespaces/_/actions/%C0%AF',
      'GET /api/v1/namespaces/_/actions/..%2f..%2fetc',
      'GET /api/v1/namespaces/_/../../ping',
      'PROPFIND /api/v1/namespaces/_/actions',
      'GET /%',
      'GET //',
      'TRACE /ping',
      'QUERY /api/v1/namespaces/_/actions',
    ]) {
      const [method = '', path = ''] = line.split(' ')
      const { status } = await exchange(port, head(method, path, 'Connection: close'))
      expect([line, status >= 200 && status < 500]).toEqual([line, true])
    }
  })

  it('never make the server fail, whatever bytes are changed in a good one', async () => {
    const { call, invoked } = await serve()
    const good =
      '{"exec":{"kind":"nodejs:20","code":"x"},"parameters":[{"key":"a","value":[1,null]}],"limits":{"memory":128}}'
    for (let seed = 0; seed < 300; seed++) {
      const bytes = Buffer.from(good)
      bytes[(seed * 31) % bytes.length] = (seed * 97) % 256
      const { status } = await call('PUT', `~actions/f?overwrite=true`, bytes.subarray(0, bytes.length - (seed % 3)))
      expect([200, 400, 403, 413]).toContain(status)
    }
    expect(invoked).toEqual([])
  })
})

describe('stopping', () => {
  it('answers what is running, then lets go of connections and port', async () => {
    let finish: () => void = () => {}
    const running = new Promise<void>(resolve => (finish = resolve))
    let entered: () => void = () => {}
    const started = new Promise<void>(resolve => (entered = resolve))
    const fixture = await createFixture({
      deps: {
        invoke: {
          async invoke() {
            entered()
            await running
            return { activationId: '0'.repeat(32) }
          },
        },
      },
    })
    await fixture.call('PUT', '~actions/a', nodeAction)
    const { port } = await fixture.controller.start({ host: '127.0.0.1', port: 0 })
    const socket = await open(port)
    socket.write(head('POST', invoke, 'Content-Length: 0'))
    const answer = readText(socket)
    await started
    const stopped = fixture.controller.stop()
    finish()
    expect(await answer).toMatch(/^HTTP\/1\.1 202 [^]*connection: close/)
    await stopped
    await expect(open(port)).rejects.toThrow('ECONNREFUSED')
  })

  it('does not wait for connections on which nothing, or half a request, has come', async () => {
    let ring: () => void = () => {}
    const clock: Clock = {
      ...systemClock,
      setTimer: (ms, fn, options) =>
        ms === bounds.http.drainBodyMs ? ((ring = fn), { cancel: () => {} }) : systemClock.setTimer(ms, fn, options),
    }
    const { port, controller } = await serve(clock)
    const [fresh, half, body] = await Promise.all([open(port), open(port), open(port)])
    half.write('GET / HT')
    body.write(`${head('POST', invoke, json, 'Content-Length: 10')}{`)
    // The server has met all three when it has answered a fourth.
    await exchange(port, head('GET', '/ping'))
    const ended = [fresh, half, body].map(
      socket => new Promise(resolve => socket.once('close', resolve).on('error', () => {})),
    )
    const stopped = controller.stop()
    await Promise.all([ended[0], ended[1]])
    expect(body.closed).toBe(false)
    ring()
    await Promise.all([ended[2], stopped])
  })

  it('says which address is taken', async () => {
    const { port } = await serve()
    const second = await createFixture()
    await expect(second.controller.start({ host: '127.0.0.1', port })).rejects.toMatchObject({
      code: 'SLUICE_ADDRESS_IN_USE',
    })
  })
})
