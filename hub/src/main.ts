import { existsSync } from 'node:fs'
import { runProgram, type ProgramHost } from './program.ts'

/** The hub's main program: everything in one process. `args` are those after the program's name. Ends the process. */
export async function main(args: readonly string[]): Promise<void> {
  const code = await runProgram(args, processHost())
  process.exit(code)
}

/** The program's surroundings: this process. The hub itself is loaded only once options and configuration are right. */
function processHost(): ProgramHost {
  return {
    env: process.env,
    out: process.stdout,
    err: process.stderr,
    fileExists: existsSync,
    onSignal: listener => {
      process.on('SIGINT', () => listener('SIGINT'))
      process.on('SIGTERM', () => listener('SIGTERM'))
    },
    onUncaught: listener => {
      process.on('uncaughtException', listener)
      process.on('unhandledRejection', reason => listener(asError(reason)))
    },
    exit: code => process.exit(code),
    start: async (config, tools) => (await import('./standalone.ts')).startStandalone(config, tools),
  }
}

function asError(reason: unknown): Error {
  return reason instanceof Error ? reason : new Error('rejected with something that is no Error', { cause: reason })
}
