import { execFile } from 'node:child_process'
import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { bounds } from './bounds.ts'

/**
 * Installs what an unpacked action's package.json depends on, if the operator allows it (`OW_ENABLE_INIT_INSTALL=true`)
 * and the archive has no `node_modules`. Waits until npm is done, unlike OpenWhisk; rejects with npm's words.
 */
export async function installDependencies(folder: string): Promise<void> {
  if (process.env['OW_ENABLE_INIT_INSTALL'] !== 'true' || existsSync(join(folder, 'node_modules'))) return
  if (!hasDependencies(join(folder, 'package.json'))) return
  await promisify(execFile)('npm', ['install', '--omit=dev', '--no-audit', '--no-fund'], {
    cwd: folder,
    timeout: bounds.installMsMax,
    killSignal: 'SIGKILL',
  })
}

function hasDependencies(manifest: string): boolean {
  if (!existsSync(manifest)) return false
  const { dependencies } = JSON.parse(readFileSync(manifest, 'utf8')) as { dependencies?: object }
  return Object.keys(dependencies ?? {}).length > 0
}
