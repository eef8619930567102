import { accessSync, chmodSync, constants, existsSync, mkdirSync, statSync } from 'node:fs'
import { dirname, join, resolve } from 'node:path'
import { createFile } from './durable-file.ts'
import { codeOf, unwritableError } from './start-errors.ts'

/** The folder that holds everything a hub keeps. Whether another process has it open is the store's to find out. */
export type DataDirectory = {
  /** Absolute. */
  readonly path: string
  /** Path of something in it. */
  file(name: string): string
}

/**
 * Opens the folder, creating it (mode 0700) when it is missing. Throws SLUICE_DATA_DIR when that cannot be done, or when
 * it cannot be written.
 */
export function openDataDirectory(path: string): DataDirectory {
  const absolute = resolve(path)
  try {
    makeFolder(absolute)
    if (!statSync(absolute).isDirectory()) throw Object.assign(new Error('not a folder'), { code: 'ENOTDIR' })
    accessSync(absolute, constants.R_OK | constants.W_OK | constants.X_OK)
  } catch (error) {
    throw unwritableError(path, codeOf(error) ?? 'unknown', error)
  }
  return { path: absolute, file: name => join(absolute, name) }
}

/** As `mkdir -p`, one step at a time: Node's own recursive form never ends where the system answers ENOENT, as in /proc. */
function makeFolder(path: string): void {
  if (existsSync(path)) return
  if (dirname(path) !== path) makeFolder(dirname(path))
  try {
    mkdirSync(path, { mode: 0o700 })
  } catch (error) {
    // Another process was quicker.
    if (codeOf(error) !== 'EEXIST') throw error
  }
}

/** A folder in it that only its owner can enter, whatever the directory's own mode is: an operator may have made it. */
export function openPrivateFolder(directory: DataDirectory, name: string): string {
  const path = directory.file(name)
  try {
    makeFolder(path)
    // Also one that an earlier start made, or a backup brought back.
    if (process.platform !== 'win32' && (statSync(path).mode & 0o077) !== 0) chmodSync(path, 0o700)
  } catch (error) {
    throw unwritableError(path, codeOf(error) ?? 'unknown', error)
  }
  return path
}

/** Whether something that is done once in the folder's life was done; `mark` notes that it was. */
export function onceMark(directory: DataDirectory, name: string): { done: boolean; mark(): void } {
  const file = directory.file(name)
  return { done: existsSync(file), mark: () => void createFile(file, '') }
}
