import { execFileSync } from 'node:child_process'
import { existsSync, mkdirSync, readdirSync, rmdirSync, statSync } from 'node:fs'
import { createRequire } from 'node:module'
import { dirname, join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { nodejsRuntime } from '../index.ts'

const sources = dirname(__dirname)
const packageFolder = dirname(sources)
const lock = join(packageFolder, '.building')
const lockMsMax = 60_000

/** Path of the compiled server, compiled anew if a source is newer. Test files do not race each other for it. */
export async function builtServer(): Promise<string> {
  const { serverPath } = nodejsRuntime()
  while (!isFresh()) {
    if (!takeLock()) {
      await delay(50)
      continue
    }
    try {
      if (!isFresh()) compile()
    } finally {
      rmdirSync(lock)
    }
  }
  return serverPath
}

function compile(): void {
  const tsc = join(dirname(createRequire(__filename).resolve('typescript/package.json')), 'bin', 'tsc')
  // --force writes all files anew, so that their times tell that they are fresh.
  execFileSync(process.execPath, [tsc, '-b', '--force', packageFolder], { stdio: 'inherit' })
}

function isFresh(): boolean {
  const built = join(packageFolder, 'dist', '.tsbuildinfo')
  if (!existsSync(built)) return false
  const times = readdirSync(sources)
    .filter(name => name.endsWith('.ts') && !name.endsWith('.test.ts'))
    .map(name => statSync(join(sources, name)).mtimeMs)
  return statSync(built).mtimeMs >= Math.max(...times)
}

function takeLock(): boolean {
  try {
    mkdirSync(lock)
    return true
  } catch {
    // Left by a test run that was killed.
    const madeMs = existsSync(lock) ? statSync(lock).mtimeMs : Infinity
    if (Date.now() - madeMs > lockMsMax) rmdirSync(lock)
    return false
  }
}
