import { existsSync, mkdirSync, mkdtempSync, realpathSync, symlinkSync } from 'node:fs'
import { createRequire } from 'node:module'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

/** Packages that an action may use without bringing them (runtimes.md §5.1). */
const providedPackages = ['express', 'openwhisk', 'redis', 'serialize-error', 'uuid']

let parent: string | undefined

/** Makes workspaces in this folder from now on; programs in it may be started, which `TMPDIR` need not allow. */
export function placeWorkspaces(folder: string): void {
  parent = folder
}

/**
 * A fresh folder for an action's files. Beside it, where module lookup goes when the action's own `node_modules` has no
 * answer, lie links to the provided packages:
 *
 *   <parent>/action-XXXXXX/action/         returned
 *   <parent>/action-XXXXXX/node_modules/   openwhisk -> ..., express -> ...
 *
 * Whoever owns the parent removes it: the runtime is usually killed, not stopped.
 */
export function createWorkspace(): string {
  const base = realpathSync(mkdtempSync(join(parent ?? tmpdir(), 'action-')))
  const modules = join(base, 'node_modules')
  mkdirSync(modules)
  for (const name of providedPackages) {
    const folder = packageFolder(name)
    if (folder !== undefined) symlinkSync(folder, join(modules, name))
  }
  const folder = join(base, 'action')
  mkdirSync(folder)
  return folder
}

function packageFolder(name: string): string | undefined {
  const candidates = createRequire(__filename).resolve.paths(name) ?? []
  return candidates.map(folder => join(folder, name)).find(folder => existsSync(folder))
}
