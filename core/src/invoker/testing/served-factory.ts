import { createServer, type Server } from 'node:http'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Container, ContainerExit, ContainerFactory, ContainerSpec, LogRead } from '../../spi/index.ts'

/** For tests: containers that are one HTTP server of this process, whose answers the test gives. */
export type ServedFactory = ContainerFactory & {
  /** Paths and bodies as they came. */
  readonly calls: { path: string; body: any }[]
  /** What the next calls answer; the default is success with an empty object. */
  answer: (path: string, body: any) => Promise<Answer> | Answer
  logs: LogRead
  /** How many sentinels each read of a log waited for. */
  readonly awaitedSentinels: number[]
  /** What containers were asked for. */
  readonly created: ContainerSpec[]
  failStarts: number
  destroyed: number
  /** Every container is gone, as the exit says. Calls that it did not answer have to be hung up. */
  end(exit: ContainerExit): void
}
type Answer = { status?: number; text?: string; hangUp?: boolean }

export async function openServedFactory(): Promise<ServedFactory> {
  const folder = mkdtempSync(join(tmpdir(), 'sluice-served-'))
  const socketPath = join(folder, 's')
  const living = new Set<(exit: ContainerExit) => void>()
  const factory: ServedFactory = {
    calls: [],
    created: [],
    awaitedSentinels: [],
    answer: () => ({}),
    logs: { lines: [], complete: true, truncated: false },
    failStarts: 0,
    destroyed: 0,
    end(exit) {
      for (const tell of living) tell(exit)
    },
    capabilities: { pause: true, isolation: 'process' },
    supports: () => true,
    create: spec => {
      factory.created.push(spec)
      if (factory.failStarts-- > 0) return Promise.reject(new Error('cannot start'))
      return Promise.resolve(container(spec))
    },
    list: () => Promise.resolve([]),
    cleanup: () => Promise.resolve(0),
    async close() {
      server.closeAllConnections()
      await new Promise(done => server.close(done))
      rmSync(folder, { recursive: true, force: true })
    },
  }

  function container(spec: ContainerSpec): Container {
    let exit: (exit: ContainerExit) => void = () => undefined
    const exited = new Promise<ContainerExit>(resolve => (exit = resolve))
    living.add(exit)
    return {
      id: spec.name,
      name: spec.name,
      labels: spec.labels,
      endpoint: { socketPath },
      exited,
      logs: {
        read({ sentinels }) {
          factory.awaitedSentinels.push(sentinels)
          return Promise.resolve(factory.logs)
        },
      },
      assign: () => Promise.resolve(),
      suspend: () => Promise.resolve(),
      resume: () => Promise.resolve(),
      destroy() {
        factory.destroyed++
        living.delete(exit)
        exit({ code: null, oom: false })
        return Promise.resolve()
      },
    }
  }

  const server: Server = createServer((request, response) => {
    const chunks: Buffer[] = []
    request.on('data', (chunk: Buffer) => chunks.push(chunk))
    request.on('end', () => {
      const path = request.url ?? ''
      const body: unknown = JSON.parse(Buffer.concat(chunks).toString())
      factory.calls.push({ path, body })
      void Promise.resolve(factory.answer(path, body)).then(({ status = 200, text = '{}', hangUp }) => {
        if (hangUp) return request.socket.destroy()
        response.writeHead(status, { 'content-type': 'application/json', 'content-length': Buffer.byteLength(text) })
        response.end(text)
      })
    })
  })
  await new Promise<void>(done => server.listen(socketPath, done))
  return factory
}
