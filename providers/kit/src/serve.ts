import fastify from 'fastify'
import { bounds } from '@sluice/core/model'
import type { Provider } from './provider.ts'

/** Serves a provider's routes on an address of its own. Port 0 takes a free one. */
export async function serveProvider(
  provider: Provider,
  address: { host: string; port: number },
): Promise<{ port: number; close(): Promise<void> }> {
  const app = fastify({
    logger: false,
    forceCloseConnections: 'idle',
    keepAliveTimeout: bounds.http.keepAliveTimeoutMs,
    requestTimeout: bounds.http.requestTimeoutMs,
    http: { maxHeaderSize: bounds.http.headerBytesMax, headersTimeout: bounds.http.headersTimeoutMs },
  })
  await app.register(provider.plugin)
  await app.listen(address)
  const bound = app.server.address()
  return {
    port: typeof bound === 'object' && bound !== null ? bound.port : address.port,
    close: async () => {
      await app.close()
    },
  }
}
