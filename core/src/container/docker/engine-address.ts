import { existsSync } from 'node:fs'
import { SluiceError } from '../../model/index.ts'
import type { EngineAddress } from './engine.ts'

/** `unix:///path`, or `tcp://host:port` on a network that the operator trusts. Throws SLUICE_CONFIG. */
export function engineAddress(text: string): EngineAddress {
  const unix = /^unix:\/\/(\/.+)$/.exec(text)?.[1]
  if (unix !== undefined) return { socketPath: unix }
  const tcp = /^tcp:\/\/(\[[0-9a-fA-F:]+\]|[A-Za-z0-9.-]+):(\d{1,5})$/.exec(text)
  if (tcp?.[1] !== undefined) return { host: tcp[1].replace(/^\[(.*)\]$/, '$1'), port: Number(tcp[2]) }
  throw new SluiceError(
    'SLUICE_CONFIG',
    `containers.docker.engine must be unix:///path or tcp://host:port, not ${text}.`,
  )
}

/** Whether it is worth asking there: a socket that does not exist is no engine. */
export function mayAnswer(address: EngineAddress): boolean {
  return !('socketPath' in address) || existsSync(address.socketPath)
}
