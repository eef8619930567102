import { connect, createServer } from 'node:net'
import { pipeline } from 'node:stream'
import { bounds } from './bounds.ts'

/**
 * Gives the action the hub's API in a container that has no network: what it sends to the address that `__OW_API_HOST`
 * names, on this container's loopback, goes on through the hub's unix socket. Does nothing where the hub mounted none.
 */
export function openApiDoor(socketPath: string | undefined, apiHost: string | undefined): void {
  const port = /^http:\/\/127\.0\.0\.1:(\d+)/.exec(apiHost ?? '')?.[1]
  if (socketPath === undefined || port === undefined) return
  const door = createServer({ allowHalfOpen: true }, inside => {
    const outside = connect({ path: socketPath, allowHalfOpen: true })
    const quiet = (): void => undefined
    pipeline(inside, outside, quiet)
    pipeline(outside, inside, quiet)
  })
  door.maxConnections = bounds.doorConnectionsMax
  // Nothing waits for it: the server's own socket keeps the process alive.
  door.listen(Number(port), '127.0.0.1').unref()
}
