/**
 * The program in an action container: `node --expose-gc server.js`. It listens on the unix socket `SLUICE_LISTEN` (in an
 * engine's container `__OW_LISTEN_SOCKET`) or on 0.0.0.0, port `SLUICE_PORT` (8080), and speaks /init and /run (runtimes.md §1) until it is told to stop or killed.
 */
import './compile-sooner.ts'
import { closeSync, writeSync } from 'node:fs'
import { createConcurrentScope, createSingleScope, scopeSymbol } from './activation.ts'
import { ActionService } from './action-service.ts'
import { openApiDoor } from './api-door.ts'
import { bounds } from './bounds.ts'
import { errorDetails } from './errors.ts'
import { createActionServer } from './http-server.ts'
import { loadAction } from './load-action.ts'
import { openLogStreams } from './log-streams.ts'
import { placeWorkspaces } from './workspace.ts'

/** What the runtime itself is told; the action does not see it. */
const ownVariables = ['SLUICE_LISTEN', 'SLUICE_PORT', 'SLUICE_READY_FD', 'SLUICE_PARENT', 'SLUICE_ACTION_DIR']

const settings = takeSettings()
const concurrent = process.env['__OW_ALLOW_CONCURRENT'] === 'true'
const scope = concurrent ? createConcurrentScope() : createSingleScope()
const logs = openLogStreams()
openApiDoor(settings.apiSocket, process.env['__OW_API_HOST'])
if (settings.actionDirectory !== undefined) placeWorkspaces(settings.actionDirectory)
const service = new ActionService({ logs, scope, concurrent, load: loadAction })
const server = createActionServer(service, stopIfAsked)
let stopping = false

Object.defineProperty(globalThis, scopeSymbol, { value: scope })
process.on('SIGTERM', () => {
  stopping = true
  service.drain()
  if (server.idle()) stopIfAsked()
})
process.on('exit', () => service.abandon())
// As Node would do by itself, but with the stack before the sentinels that 'exit' writes.
process.on('uncaughtException', error => {
  if (process.listenerCount('uncaughtException') > 1) return // the action has its own idea
  logs.error(errorDetails(error))
  process.exit(1)
})
server.http.on('error', error => {
  logs.error(errorDetails(error))
  process.exit(1)
})
server.http.listen(settings.address, () => {
  if (settings.readyFd !== undefined) {
    writeSync(settings.readyFd, '\n')
    closeSync(settings.readyFd)
  }
  // Most actions are text: what loads them is at hand when /init comes.
  setImmediate(() => void import('./load-text.ts'))
})

// A container that is a process must not outlive the hub that started it, however that ended.
if (settings.parent !== undefined) {
  setInterval(() => {
    if (process.ppid !== settings.parent) process.exit(0)
  }, bounds.parentLookMs).unref()
}

function stopIfAsked(): void {
  if (!stopping) return
  server.http.close() // removes the socket's file
  process.exit(0)
}

/** Reads the runtime's own variables and takes them out of what the action will see. */
function takeSettings() {
  const { SLUICE_PORT: port, SLUICE_READY_FD: readyFd, SLUICE_PARENT: parent } = process.env
  const actionDirectory = process.env['SLUICE_ACTION_DIR']
  const { __OW_LISTEN_SOCKET: shared, SLUICE_LISTEN: path = shared, __OW_API_SOCKET: apiSocket } = process.env
  for (const name of [...ownVariables, '__OW_LISTEN_SOCKET', '__OW_API_SOCKET']) delete process.env[name]
  return {
    // In an engine's container the action has a user of its own: the hub may be another one and has to get in.
    address:
      path === undefined
        ? { host: '0.0.0.0', port: Number(port ?? 8080) }
        : { path, readableAll: path === shared, writableAll: path === shared },
    actionDirectory,
    apiSocket,
    readyFd: readyFd === undefined ? undefined : Number(readyFd),
    // Set by the hub for containers that are plain processes; in a container of an engine there is no parent to lose.
    parent: parent === undefined ? undefined : Number(parent),
  }
}
