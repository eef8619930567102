import { lstat, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { fateOf } from './owner.ts'

/** In a directory of ours: the note of the process it belongs to. */
const noteFile = 'owner'
/** Names of our directories: of Docker's containers `sluice-d-…`, of process containers `sluice-…`. */
const ours = /^sluice-(?:d-)?[0-9a-f]{12}-/

/** Makes a private directory whose name begins so, with a note of its owner if there is one. */
export async function makeOwnedDirectory(pathPrefix: string, note: string | undefined): Promise<string> {
  const path = await mkdtemp(pathPrefix)
  if (note !== undefined) await writeFile(join(path, noteFile), note, { mode: 0o600 })
  return path
}

/**
 * Removes directories of factories whose process is gone: those nobody would look for who is not started again with the
 * same data. Only this user's own; one that cannot be removed stays. Resolves to how many.
 */
export async function removeAbandonedDirectories(parents: Iterable<string>): Promise<number> {
  let removed = 0
  for (const parent of new Set(parents)) {
    for (const name of await readdir(parent).catch(() => [])) {
      const path = join(parent, name)
      if (!ours.test(name) || !(await isAbandoned(path))) continue
      await rm(path, { recursive: true, force: true }).then(
        () => removed++,
        () => undefined,
      )
    }
  }
  return removed
}

async function isAbandoned(path: string): Promise<boolean> {
  try {
    // Whoever else may write into the folder of temporary files could lay a trap there.
    const stat = await lstat(path)
    if (!stat.isDirectory() || stat.uid !== process.getuid?.()) return false
    const fate = fateOf(await readFile(join(path, noteFile), 'utf8'))
    return fate === 'ended' || fate === 'before'
  } catch {
    return false
  }
}
