import { createHash } from 'node:crypto'
import { readFileSync, readlinkSync } from 'node:fs'

/**
 * Notes of which process something belongs to, for whoever finds it later and wants to know whether anybody still needs
 * it: `machine:boot:pid namespace:pid:start`. A pid alone would do until it is given to another process, and only where
 * it was given: the start (clock ticks since boot), the boot and the namespace tell those apart.
 */
const form = /^([0-9a-f]{16}|-):([0-9a-f-]{36}):(\d+):(\d+):(\d+)$/

/**
 * `lives`, or `ended` in this boot; `before`: a process of an earlier boot of this machine. `unknown`: a process of
 * another machine or another pid namespace, which cannot be seen from here, or no note at all.
 */
export type Fate = 'lives' | 'ended' | 'before' | 'unknown'

/** The note of a process of this machine; of none where there is no /proc of this process's own namespace. */
export function ownerNote(pid = process.pid): string | undefined {
  const place = placeOf()
  const started = place && startOf(pid)
  return started === undefined ? undefined : [place, pid, started].join(':')
}

/** What became of the process that a note names. */
export function fateOf(note: string): Fate {
  const [, machine, boot, namespace, pid, started] = form.exec(note) ?? []
  const [ownMachine, ownBoot, ownNamespace] = placeOf()?.split(':') ?? []
  if (boot === undefined || ownBoot === undefined) return 'unknown'
  if (boot !== ownBoot) return machine === ownMachine && machine !== '-' ? 'before' : 'unknown'
  if (namespace !== ownNamespace) return 'unknown'
  return isThere(Number(pid)) && (startOf(Number(pid)) ?? started) === started ? 'lives' : 'ended'
}

let place: string | undefined

/** Machine, boot and pid namespace of this process. */
function placeOf(): string | undefined {
  if (place !== undefined) return place
  const boot = readText('/proc/sys/kernel/random/boot_id')?.trim()
  const [, namespace] = /^pid:\[(\d+)\]$/.exec(linkOf('/proc/self/ns/pid') ?? '') ?? []
  // A /proc of another namespace shows other processes under the same numbers.
  const seen = Number(readText('/proc/self/stat')?.split(' ', 1)[0])
  if (boot === undefined || namespace === undefined || seen !== process.pid) return undefined
  return (place = `${machineDigest()}:${boot}:${namespace}`)
}

/** The machine's id is nobody else's business (machine-id(5)); in containers there may be none. */
function machineDigest(): string {
  const id = readText('/etc/machine-id')?.trim() ?? ''
  if (!/^[0-9a-f]{32}$/.test(id)) return '-'
  return createHash('sha256').update(`sluice ${id}`).digest('hex').slice(0, 16)
}

/** Also of processes of other users that /proc may not show. */
function isThere(pid: number): boolean {
  try {
    process.kill(pid, 0)
    return true
  } catch (error) {
    return (error as { code?: string }).code !== 'ESRCH'
  }
}

/** When a process was started; `ended` for one that is only waited for, nothing when it cannot be seen. */
function startOf(pid: number): string | undefined {
  const stat = readText(`/proc/${pid}/stat`)
  // `pid (name) state …`; the name may hold spaces and parentheses. Field 22 is the start.
  const fields = stat?.slice(stat.lastIndexOf(')') + 2).split(' ')
  if (fields?.[0] === 'Z' || fields?.[0] === 'X') return 'ended'
  return fields?.[19]
}

function readText(path: string): string | undefined {
  try {
    return readFileSync(path, 'utf8')
  } catch {
    return undefined
  }
}

function linkOf(path: string): string | undefined {
  try {
    return readlinkSync(path)
  } catch {
    return undefined
  }
}
