import type { Clock } from '../../spi/index.ts'
import { bounds } from '../../model/index.ts'
import type { ProcessInfo, ProcessTable } from './process-table.ts'

/** How the processes of one container are recognised. */
export type Family = {
  readonly marker: string
  /** Process and group id of the container's first process; undefined once it has been reaped (the id may be reused). */
  readonly leader: number | undefined
  /** Members found earlier, by pid, with their start time: they stay members when their parents have gone. */
  readonly known?: ReadonlyMap<number, string>
}

/**
 * Those of `processes` that belong to the family: the leader, its group, whoever carries the marker in his environment
 * (also after `setsid` and a double fork), those known, and the children of all these (also with an emptied environment).
 */
export function familyMembers(processes: readonly ProcessInfo[], family: Family): ProcessInfo[] {
  const members = new Map<number, ProcessInfo>()
  const children = new Map<number, ProcessInfo[]>()
  for (const info of processes) {
    if (isMember(info, family)) members.set(info.pid, info)
    const siblings = children.get(info.parent)
    if (siblings) siblings.push(info)
    else children.set(info.parent, [info])
  }
  for (const member of members.values()) {
    // A Map's iteration reaches what is added meanwhile: descendants of any depth.
    for (const child of children.get(member.pid) ?? []) if (!isUntouchable(child.pid)) members.set(child.pid, child)
  }
  return [...members.values()]
}

function isMember(info: ProcessInfo, { marker, leader, known }: Family): boolean {
  if (isUntouchable(info.pid)) return false
  if (info.marker === marker || known?.get(info.pid) === info.started) return true
  return leader !== undefined && (info.pid === leader || info.group === leader)
}

/** Whatever the tables say: never ourselves, never the system's first process. */
function isUntouchable(pid: number): boolean {
  return pid <= 1 || pid === process.pid
}

/**
 * Kills all that `find` picks, again and again until it picks nothing: a process may fork while the others die. Resolves
 * to how many are left at the end of its time, which is 0 unless the system itself is stuck.
 */
export async function killUntilGone(
  table: ProcessTable,
  clock: Clock,
  find: (processes: ProcessInfo[]) => ProcessInfo[],
): Promise<number> {
  const deadline = clock.monotonicMs() + bounds.container.destroyMs
  for (let delayMs = 1; ; delayMs = Math.min(2 * delayMs, bounds.container.destroyPollMsMax)) {
    const left = find(await table.list())
    if (left.length === 0) return 0
    for (const { pid } of left) send(pid, 'SIGKILL')
    if (clock.monotonicMs() > deadline) return left.length
    await clock.sleep(delayMs)
  }
}

/** Sends a signal to a process, or to a group (negative). One that is gone is no error. */
export function send(pid: number, signal: 'SIGKILL' | 'SIGSTOP' | 'SIGCONT'): boolean {
  try {
    return process.kill(pid, signal)
  } catch {
    return false
  }
}
