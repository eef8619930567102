import { SluiceError } from '@sluice/core/model'

/** What stands in the way of a start, as one line that says what to do. The system's own error may be the `cause` of what
 *  a part throws. Errors of another kind are returned as they are. */

/** Of `listen`: the port is taken, reserved, or the address is not this machine's. */
export function listenError(
  error: unknown,
  host: string,
  port: number,
  settings = { host: '--host', port: '--port' },
): unknown {
  const at = `${host.includes(':') ? `[${host}]` : host}:${port}`
  switch (codeOf((error as Error | undefined)?.cause) ?? codeOf(error)) {
    case 'EADDRINUSE':
      return addressError(
        `${at} is taken by another process. Stop it, or choose another port with ${settings.port}.`,
        error,
      )
    case 'EACCES':
      return addressError(`This user may not listen on ${at}. Choose a port above 1023 with ${settings.port}.`, error)
    case 'EADDRNOTAVAIL':
    case 'ENOTFOUND':
    case 'EAI_AGAIN':
      return addressError(`${host} is no address of this machine. Choose another with ${settings.host}.`, error)
    default:
      return error
  }
}

/** Of the store that lies in the data directory: another hub has it open, or it cannot be written. */
export function storeError(error: unknown, dataDir: string): unknown {
  const codes = [codeOf(error), codeOf((error as Error | undefined)?.cause)]
  if (codes.includes('LEVEL_LOCKED')) {
    const text = `The data directory ${dataDir} is in use by another process. Stop it, or choose another with --data-dir.`
    return new SluiceError('SLUICE_DATA_DIR', text, { cause: error })
  }
  const code = codes.find(found => found !== undefined && unwritable.has(found))
  return code === undefined ? error : unwritableError(dataDir, code, error)
}

const unwritable: ReadonlySet<string> = new Set([
  'EACCES',
  'EPERM',
  'EROFS',
  'ENOTDIR',
  'EEXIST',
  'ENOSPC',
  'EDQUOT',
  'ELOOP',
])

/** The same for plain files in it. */
export function unwritableError(dataDir: string, code: string, cause: unknown): SluiceError {
  const text = `The data directory ${dataDir} cannot be written (${code}). Make it writable, or choose another with --data-dir.`
  return new SluiceError('SLUICE_DATA_DIR', text, { cause })
}

function addressError(text: string, cause: unknown): SluiceError {
  return new SluiceError('SLUICE_ADDRESS_IN_USE', text, { cause })
}

/** The `code` of a system error, if it has one. */
export function codeOf(error: unknown): string | undefined {
  const code = (error as { code?: unknown } | null | undefined)?.code
  return typeof code === 'string' ? code : undefined
}
