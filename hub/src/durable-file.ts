import { closeSync, fsyncSync, linkSync, openSync, renameSync, unlinkSync, writeSync } from 'node:fs'
import { dirname } from 'node:path'
import { codeOf } from './start-errors.ts'

/** Small files that must be whole or not there: written beside their place, synced, then put in place in one step. */

/** Replaces the file. Mode 0600. */
export function replaceFile(path: string, text: string): void {
  const scratch = writeScratch(path, text)
  renameSync(scratch, path)
  syncFolder(dirname(path))
}

/** Creates the file; answers false, and changes nothing, when it is there already. Mode 0600. */
export function createFile(path: string, text: string): boolean {
  const scratch = writeScratch(path, text)
  try {
    linkSync(scratch, path)
  } catch (error) {
    if (codeOf(error) === 'EEXIST') return false
    throw error
  } finally {
    unlinkSync(scratch)
  }
  syncFolder(dirname(path))
  return true
}

function writeScratch(path: string, text: string): string {
  const scratch = `${path}.${process.pid}.new`
  const file = openSync(scratch, 'w', 0o600)
  try {
    writeSync(file, text)
    fsyncSync(file)
  } finally {
    closeSync(file)
  }
  return scratch
}

/** A name is durable only once its folder is. */
function syncFolder(folder: string): void {
  const handle = openSync(folder, 'r')
  try {
    fsyncSync(handle)
  } finally {
    closeSync(handle)
  }
}
