import { readdir } from 'node:fs/promises'
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
  // Without that file the database would begin anew and throw away what lies there.
  if (await hasLost(directory, 'CURRENT')) return repair(directory, log)
  try {
    return await open(directory)
  } catch (error) {
    const cause = causeOf(error)
    if (cause.code === 'LEVEL_LOCKED') {
      throw unusable(`The data directory ${directory} is in use by another process.`, cause)
    }
    if (cause.code === 'LEVEL_CORRUPTION' || isMissingFile(cause)) return repair(directory, log, cause)
    throw unusable(`The data directory ${directory} cannot be used: ${cause.message}`, cause)
  }
}

async function hasLost(directory: string, file: string): Promise<boolean> {
  const files = await readdir(directory).catch((): string[] => [])
  return !files.includes(file) && files.some(name => name.endsWith('.ldb') || name.startsWith('MANIFEST-'))
}

function isMissingFile(cause: Error & { code?: string }): boolean {
  return cause.code === 'LEVEL_IO_ERROR' && cause.message.endsWith('No such file or directory')
}

async function repair(directory: string, log: Logger, damage?: Error): Promise<Engine> {
  log.error({ err: damage, directory }, 'database is damaged; repairing it')
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
