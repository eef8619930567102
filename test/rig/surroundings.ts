import { execFileSync } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { cpus, release, totalmem, type } from 'node:os'
import { join } from 'node:path'
import { repository } from './hub-process.ts'

/** What a report names, so that its figures can be judged and repeated (reliability.md §7.8). */
export type Surroundings = {
  at: string
  commit: string
  version: string
  node: string
  system: string
  cpu: string
  memoryGb: number
}

export function surroundings(): Surroundings {
  const manifest = JSON.parse(readFileSync(join(repository, 'package.json'), 'utf8')) as { version: string }
  return {
    at: new Date().toISOString(),
    commit: commit(),
    version: manifest.version,
    node: process.version,
    system: `${type()} ${release()}`,
    cpu: `${cpus().length} × ${cpus()[0]?.model.trim() ?? 'unknown'}`,
    memoryGb: Math.round(totalmem() / 2 ** 30),
  }
}

/** With a plus when the sources differ from it; a source tree without history has none. */
function commit(): string {
  const git = (...args: string[]) =>
    execFileSync('git', args, { cwd: repository, encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore'] }).trim()
  try {
    const changed = git('status', '--porcelain', '--untracked-files=no') !== ''
    return `${git('rev-parse', '--short=12', 'HEAD')}${changed ? '+' : ''}`
  } catch {
    return 'unknown'
  }
}
