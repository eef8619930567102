import { dockerWay, processWay, type Way } from '@sluice/runtime-contract'
import { nodejsRuntime } from '../index.ts'
import { builtServer } from './built-server.ts'

/** Node.js actions as a hub without an engine runs them, and in the image. */
export const ways: readonly Way[] = [
  processWay(
    async () => undefined,
    async (_, socketPath) => ({
      command: process.execPath,
      args: [...nodejsRuntime().nodeArgs(256), await builtServer()],
      env: { SLUICE_LISTEN: socketPath },
    }),
  ),
  // 48 MiB of code are there several times while they are unpacked.
  dockerWay({ image: 'sluice/action-nodejs-v20:latest', memoryMb: 512 }),
]
