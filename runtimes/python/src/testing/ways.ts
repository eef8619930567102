import { dockerWay, processWay, type Way } from '@sluice/runtime-contract'
import { findPython } from '../index.ts'

const python = findPython()
const image = 'sluice/action-python-v3.11:latest'

/** Python actions as a hub without an engine runs them, and in the image. */
export const ways: readonly Way[] = [
  processWay(
    async () => (python === undefined ? 'needs python: no Python of ours is on the PATH' : undefined),
    async (_, socketPath) => {
      const { command, args } = python! // tests are skipped where there is none
      return { command, args, env: { SLUICE_LISTEN: socketPath } }
    },
  ),
  dockerWay({ image }),
]
