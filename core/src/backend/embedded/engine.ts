import { ClassicLevel } from 'classic-level'
import { SluiceError } from '../../model/index.ts'
import type { Logger } from '../../spi/index.ts'

/** What the backend uses of the database; tests put their own faults before it. */
export type Engine = Pick<
  ClassicLevel<string, string>,
  'batch' | 'get' | 'getSync' | 'getMany' | 'iterator' | 'keys' | 'clear' | 'close'
>

const mib = 1024 * 1024

/** A larger write buffer means fewer and larger table files; it is also what must be read again after a crash
 *  (16 MiB take about 0.1 s). */
const options = { keyEncoding: 'utf8', valueEncoding: 'utf8', writeBufferSize: 16 * mib, cacheSize: 16 * mib } as const

/**
 * Opens the database folder, creating it if it is missing. Rejects with SLUICE_DATA_DIR when another process has it open
 * or it cannot be written. A database that does not open because files of it are damaged is repaired once: whatever can
 * be read is kept, the rest is moved to its folder `lost`, and the log says so.
 */
export async function openEngine(directory: string, log: Logger): Promise<Engine> {
  try {
    return await open(directory)
  } catch (error) {
    const cause = causeOf(error)
    if (cause.code === 'LEVEL_LOCKED')
      throw unusable(`The data directory ${directory} is in use by another process.`, cause)
    if (cause.code !== 'LEVEL_CORRUPTION') {
      throw unusable(`The data directory ${directory} cannot be written: ${cause.message}`, cause)
    }
    log.error({ err: cause, directory }, 'database is damaged; repairing it')
    return repair(directory)
  }
}

async function repair(directory: string): Promise<Engine> {
  try {
    await ClassicLevel.repair(directory)
    return await open(directory)
  } catch (error) {
    const cause = causeOf(error)
    throw unusable(`The data directory ${directory} is damaged and could not be repaired: ${cause.message}`, cause)
  }
}

async function open(directory: string): Promise<Engine> {
  const engine = new ClassicLevel<string, string>(directory, options)
  await engine.open()
  return engine
}

function causeOf(error: unknown): Error & { code?: string } {
  const outer = error as Error & { code?: string }
  return outer.cause instanceof Error ? outer.cause : outer
}

function unusable(message: string, cause: Error): SluiceError {
  return new SluiceError('SLUICE_DATA_DIR', message, { cause })
}
