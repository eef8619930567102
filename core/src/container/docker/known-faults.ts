import type { EngineInfo } from './engine.ts'

/** Versions of runc from which on its known escapes are closed, by minor version (reliability.md §5.2). */
const fixedRunc: Readonly<Record<string, number>> = { '1.1': 12, '1.2': 8, '1.3': 3 }

/** What is known to be wrong with the engine, as sentences for the operator. */
export function knownFaults({ runc, securityOptions }: EngineInfo): string[] {
  const faults: string[] = []
  const [, minor = '', patch = ''] = /^v?(\d+\.\d+)\.(\d+)/.exec(runc) ?? []
  const fixed = fixedRunc[minor]
  if (minor !== '' && (fixed === undefined ? minor < '1.1' : Number(patch) < fixed)) {
    faults.push(`the engine's runc ${runc} has known ways out of containers: use ${minor}.${fixed ?? 'x'} or newer`)
  }
  if (!securityOptions.some(option => option.startsWith('name=seccomp') && !option.includes('unconfined'))) {
    faults.push('the engine filters no system calls (seccomp)')
  }
  return faults
}
