import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { text } from 'node:stream/consumers'

/**
 * What actions report to (reliability.md §7.1): a server of the test's own process, so that it outlives every hub and lies
 * outside of its data. Processes call it directly. Containers reach nothing but their hub, which passes on what is meant
 * for a provider outside of it: the sink takes the place of one that these tests do not use.
 */
export type Sink = {
  /** Lines of the hub's configuration that let its containers reach the sink. */
  readonly config: string
  /** To be given to actions as `args.sink`. */
  readonly address: string
  /** What was reported, in the order in which it came. */
  readonly reports: SinkReport[]
  /** What `held` waits for in actions; false until a test says otherwise. */
  released: boolean
  close(): Promise<void>
}

export type SinkReport = { readonly activationId: string; readonly atMs: number; readonly text: string }

const path = '/v1/lifecycle/sink'

export async function openSink(): Promise<Sink> {
  const reports: SinkReport[] = []
  const server = createServer((request, response) => {
    const come = (body: string): void => {
      const [activationId = '', said = ''] = body.split(' ')
      if (request.method === 'POST' && activationId !== '') reports.push({ activationId, atMs: Date.now(), text: said })
      response.writeHead(sink.released ? 200 : 202).end()
    }
    text(request).then(come, () => response.destroy())
  })
  await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve))
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
  const sink: Sink = {
    config: `providers: { alarms: { url: '${url}' } }`,
    address: process.env.SLUICE_TEST_CONTAINERS === 'docker' ? '' : url,
    reports,
    released: false,
    async close() {
      server.closeAllConnections()
      await new Promise(resolve => server.close(resolve))
    },
  }
  return sink
}

/**
 * For the code of actions (Node). `report(args, text)` resolves to whether the test has released them once the report is
 * there, or has failed: a hub that was killed passes nothing on. `held(args)` resolves when they are released.
 */
export const sinkCode = `
const http = require('http')
const agent = new http.Agent({ keepAlive: true })
function call(args, method, text) {
  const url = (args.sink || process.env.__OW_API_HOST + '/providers/alarms') + '${path}'
  return new Promise(done => {
    const request = http.request(url, { method, agent }, answer => {
      answer.resume()
      answer.on('close', () => done(answer.statusCode === 200))
    })
    request.on('error', () => done(false))
    request.end(text)
  })
}
const report = (args, text = '') => call(args, 'POST', process.env.__OW_ACTIVATION_ID + ' ' + text)
async function held(args) {
  while (!(await call(args, 'GET'))) await new Promise(done => setTimeout(done, 20))
}
`
