import { loadConfig, printConfig, type Config } from '@sluice/core/config'
import { bounds, SluiceError } from '@sluice/core/model'
import { systemClock } from '@sluice/core/spi'
import { banner } from './banner.ts'
import { printEvents } from './event-lines.ts'
import { createLog } from './logger.ts'
import { parseOptions, type Request } from './options.ts'
import type { Running, StartStandalone } from './running.ts'
import { installSamplesOnce } from './samples.ts'
import type { Screen } from './screen.ts'
import { writeWskprops } from './wskprops.ts'

/** What the program needs of the process it runs in. */
export type ProgramHost = {
  readonly env: Readonly<Record<string, string | undefined>>
  readonly out: Screen
  readonly err: Screen
  fileExists(path: string): boolean
  onSignal(listener: (signal: 'SIGINT' | 'SIGTERM') => void): void
  onUncaught(listener: (error: Error) => void): void
  /** Ends the process at once. */
  exit(code: number): void
  readonly start: StartStandalone
}

/** Codes that the program ends with. 130 and 143: a second signal cut the drain short. */
const exitCode = { done: 0, failed: 1, usage: 2, SIGINT: 130, SIGTERM: 143 } as const

/** `npm start` forwards the terminal's Ctrl-C, which this process has already got: within this time it is one. */
const sameSignalMs = 400

/** Mistakes of the person who starts the hub: told in a line, without a stack. */
const usageErrors: ReadonlySet<string> = new Set(['SLUICE_CONFIG', 'SLUICE_DATA_DIR', 'SLUICE_ADDRESS_IN_USE'])

/**
 * Reads options and configuration, runs the hub until a signal stops it, and resolves to the exit code: 0 after a clean
 * stop, 1 when something failed, 2 when it could not be started as asked (one clear line on `err`).
 */
export async function runProgram(args: readonly string[], host: ProgramHost): Promise<number> {
  const request = parseOptions(args)
  if (request.kind === 'help') {
    host.out.write(request.text)
    return exitCode.done
  }
  if (request.kind === 'mistake') {
    host.err.write(`${request.text}\n`)
    return exitCode.usage
  }
  try {
    const config = await loadConfig({ file: fileOf(request, host), env: host.env, flags: request.flags })
    if (request.printConfig) {
      host.out.write(await printConfig(config))
      return exitCode.done
    }
    return await runHub(config, request, host)
  } catch (error) {
    if (!(error instanceof SluiceError) || !usageErrors.has(error.code)) throw error
    host.err.write(`${error.message}\n`)
    return exitCode.usage
  }
}

type RunRequest = Extract<Request, { kind: 'run' }>

function fileOf(request: RunRequest, host: ProgramHost): string | undefined {
  return request.file ?? (host.fileExists('sluice.yaml') ? 'sluice.yaml' : undefined)
}

async function runHub(config: Config, request: RunRequest, host: ProgramHost): Promise<number> {
  const startedMs = systemClock.monotonicMs()
  const log = createLog(config.log.level, host.err)
  let dying = false
  const die = (error: Error): void => {
    if (dying) return
    dying = true
    log.error({ err: error }, 'the hub cannot go on')
    host.exit(exitCode.failed)
  }
  host.onUncaught(die)
  const stopAsked = stopSignal(host)

  const running = await host.start(config, { log, onFatal: die })
  const stopEvents = await welcome(running, config, request, host, systemClock.monotonicMs() - startedMs)
  await stopAsked
  host.out.write('Stopping: running work is finished first. Ctrl-C again ends at once.\n')
  const code = await stopWithin(running, bounds.hub.stopMs, error =>
    log.error({ err: error }, 'the hub did not stop cleanly'),
  )
  stopEvents()
  return code
}

/** Resolves at the first signal; a second one ends the process at once. */
function stopSignal(host: ProgramHost): Promise<void> {
  return new Promise(resolve => {
    let firstMs: number | undefined
    host.onSignal(signal => {
      const nowMs = systemClock.monotonicMs()
      if (firstMs === undefined) {
        firstMs = nowMs
        resolve()
      } else if (nowMs - firstMs > sameSignalMs) {
        host.exit(exitCode[signal])
      }
    })
  })
}

/** Prints how to use the hub and then a line for each event; the answer ends the lines. */
async function welcome(
  running: Running,
  config: Config,
  request: RunRequest,
  host: ProgramHost,
  tookMs: number,
): Promise<() => void> {
  const { apiHost, guestKey, containers, operatorUrl } = running
  const samples = await installSamplesOnce({
    wanted: config.samples.install,
    dataDir: config.dataDir,
    apiHost: `http://${loopbackFor(config.http.host)}:${running.port}`,
    guestKey,
  })
  if (samples.failure) host.err.write(`The samples could not be installed: ${samples.failure}\n`)
  host.out.write(
    banner(
      { apiHost, guestKey, containers, operatorUrl, dataDir: config.dataDir, samples: samples.present, tookMs },
      host.out,
    ),
  )
  if (request.wskprops !== undefined) {
    const path = request.wskprops === true ? undefined : request.wskprops
    const { written, text } = writeWskprops({ path, apiHost, auth: guestKey, env: host.env })
    ;(written ? host.out : host.err).write(`${text}\n`)
  }
  return printEvents(running.events, host.out, systemClock)
}

/** Where this process reaches itself: wildcard addresses include loopback. */
function loopbackFor(host: string): string {
  if (host === '0.0.0.0') return '127.0.0.1'
  if (host === '::') return '[::1]'
  return host.includes(':') && !host.startsWith('[') ? `[${host}]` : host
}

async function stopWithin(running: Running, limitMs: number, report: (error: unknown) => void): Promise<number> {
  const limit = new AbortController()
  const late = systemClock.sleep(limitMs, limit.signal).then(() => {
    throw new Error('running work was not finished in time; it is redelivered or recorded at the next start')
  })
  late.catch(() => {})
  try {
    await Promise.race([running.stop(), late])
    return exitCode.done
  } catch (error) {
    report(error)
    return exitCode.failed
  } finally {
    limit.abort()
  }
}
