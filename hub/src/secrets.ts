import { randomBytes } from 'node:crypto'
import { existsSync, readFileSync, statSync } from 'node:fs'
import type { Config } from '@sluice/core/config'
import { SluiceError } from '@sluice/core/model'
import type { KeyRing, Random } from '@sluice/core/spi'
import type { DataDirectory } from './data-directory.ts'
import { createFile } from './durable-file.ts'
import { createKeyRing, masterKeyBytes, masterKeyId } from './key-ring.ts'
import { codeOf, unwritableError } from './start-errors.ts'

/** Characters of the secret half of a key; the other half is a UUID. */
const keyCharacters = 64

/** Keys of the two namespaces that every hub has, as `uuid:key`. */
export type Credentials = { readonly guest: string; readonly system: string }

export type Secrets = {
  readonly keyRing: KeyRing
  readonly credentials: Credentials
  /** True when the credentials were drawn by this call. */
  readonly drawn: boolean
}

/**
 * Opens the data directory's secrets, drawing at the first start what is missing: `master-key` (one key a line in hex,
 * the first one in use) and `keys.json` (credentials of `guest` and `whisk.system`), both 0600. Throws SLUICE_CONFIG when a
 * master key is unusable or others may read it, and SLUICE_SECRET_UNREADABLE when it is not the one that belongs to this
 * directory: with another one nothing that is stored could be read.
 */
export function openSecrets(directory: DataDirectory, config: Config['secrets'], random: Random): Secrets {
  const keysFile = directory.file('keys.json')
  try {
    const masterKeys = openMasterKeys(directory, config, existsSync(keysFile))
    const ids = masterKeys.map(masterKeyId)
    const fresh = { masterKeyId: ids[0], guest: drawCredential(random), system: drawCredential(random) }
    // Whoever creates the file first wins, should two hubs start at once.
    const drawn = !existsSync(keysFile) && createFile(keysFile, `${JSON.stringify(fresh, undefined, 2)}\n`)
    const kept = parseKeys(readPrivate(keysFile), keysFile)
    if (!ids.includes(kept.masterKeyId)) {
      const text = `The master key is not the one that ${directory.path} was made with. Restore it, or list it after the new one.`
      throw new SluiceError('SLUICE_SECRET_UNREADABLE', text)
    }
    return { keyRing: createKeyRing(masterKeys), credentials: { guest: kept.guest, system: kept.system }, drawn }
  } catch (error) {
    if (error instanceof SluiceError) throw error
    throw unwritableError(directory.path, codeOf(error) ?? 'unknown', error)
  }
}

function openMasterKeys(directory: DataDirectory, config: Config['secrets'], used: boolean): Buffer[] {
  if (config.masterKey !== undefined) return [Buffer.from(config.masterKey, 'hex')]
  const file = config.keyFile ?? directory.file('master-key')
  if (config.keyFile === undefined && !existsSync(file)) {
    if (used) {
      const text = `${file} is missing, and without it nothing that is stored in ${directory.path} can be read. Restore it.`
      throw new SluiceError('SLUICE_SECRET_UNREADABLE', text)
    }
    createFile(file, `${randomBytes(masterKeyBytes).toString('hex')}\n`)
  }
  const lines = readPrivate(file)
    .split('\n')
    .filter(line => line.trim() !== '')
  const keys = lines.map(line => Buffer.from(line.trim(), 'hex'))
  if (keys.length === 0 || keys.some(key => key.length !== masterKeyBytes)) {
    throw new SluiceError(
      'SLUICE_CONFIG',
      `${file} must hold master keys: ${masterKeyBytes * 2} hex digits on each line.`,
    )
  }
  return keys
}

/** The text of a file that nobody else may read. */
function readPrivate(file: string): string {
  let mode: number
  try {
    mode = statSync(file).mode
  } catch (cause) {
    throw new SluiceError('SLUICE_CONFIG', `${file} cannot be read (${codeOf(cause) ?? 'unknown'}).`, { cause })
  }
  if ((mode & 0o077) !== 0 && process.platform !== 'win32') {
    throw new SluiceError('SLUICE_CONFIG', `Others may read ${file}, which holds secrets. Say: chmod 600 ${file}`)
  }
  return readFileSync(file, 'utf8')
}

function parseKeys(text: string, file: string): Credentials & { masterKeyId: string } {
  try {
    const { masterKeyId: id, guest, system } = JSON.parse(text) as Record<string, unknown>
    if (typeof id === 'string' && typeof guest === 'string' && typeof system === 'string') {
      return { masterKeyId: id, guest, system }
    }
  } catch {
    // Told below: the parser's own text would repeat the secrets.
  }
  throw new SluiceError('SLUICE_DATA_DIR', `${file} is damaged. Restore it, or remove it to have new keys drawn.`)
}

function drawCredential(random: Random): string {
  return `${random.uuid()}:${random.alphanumeric(keyCharacters)}`
}
