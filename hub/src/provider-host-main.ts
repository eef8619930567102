import { createLog } from './logger.ts'
import { startProviderHost } from './provider-host.ts'
import { parseProviderHostOptions } from './provider-host-options.ts'

/** The provider host's main program: runs until SIGINT or SIGTERM. Exit codes: 0 clean, 1 failed, 2 wrong options. */
export async function main(args: readonly string[]): Promise<void> {
  const request = parseProviderHostOptions(args, process.env)
  if (request.kind !== 'run') {
    const out = request.kind === 'help' ? process.stdout : process.stderr
    out.write(`${request.text.trimEnd()}\n`)
    process.exit(request.kind === 'help' ? 0 : 2)
  }
  const log = createLog(undefined, process.stderr)
  const die = (error: unknown) => {
    log.error({ err: error }, 'the provider host cannot go on')
    process.exit(1)
  }
  process.on('uncaughtException', die)
  process.on('unhandledRejection', die)
  try {
    const running = await startProviderHost(request.options, log)
    process.stdout.write(`provider ${request.options.provider} listens on port ${running.port}\n`)
    const stop = () => {
      running.stop().then(() => process.exit(0), die)
      // The second signal ends it at once.
      for (const signal of ['SIGINT', 'SIGTERM'] as const) process.on(signal, () => process.exit(1))
    }
    process.once('SIGINT', stop)
    process.once('SIGTERM', stop)
  } catch (error) {
    die(error)
  }
}
