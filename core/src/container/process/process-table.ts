/** What the operating system tells about its processes. */
export interface ProcessTable {
  /** All living processes of this machine that can be looked at (zombies are gone: nothing of them runs). */
  list(): Promise<ProcessInfo[]>
  /** Those that appeared since the last call; cheap enough for every second. */
  appeared(): Promise<ProcessInfo[]>
  /** Resident memory of each of `pids` that lives, in bytes. */
  residentBytes(pids: readonly number[]): Promise<Map<number, number>>
  /** Memory of all of them together, pages they share counted once as far as the system tells. Dear. */
  proportionalBytes(pids: readonly number[]): Promise<number>
}

export type ProcessInfo = {
  readonly pid: number
  readonly parent: number
  readonly group: number
  /** When it was started, in the system's own form: tells a process from a later one with the same pid. */
  readonly started: string
  /** Value of `markerName` in its environment. */
  readonly marker: string | undefined
}

/** The environment variable by which a container's processes are known, wherever they went. */
export const markerName = 'SLUICE_CONTAINER'

/** The same table, whose `list` is shared: who asks while a look is under way gets the next one, with all who do. */
export function shareLists(table: ProcessTable): ProcessTable {
  let current: Promise<ProcessInfo[]> | undefined
  let next: Promise<ProcessInfo[]> | undefined
  function look(): Promise<ProcessInfo[]> {
    next = undefined
    const list = table.list().finally(() => {
      if (current === list) current = undefined
    })
    current = list
    return list
  }
  return {
    ...table,
    list() {
      if (!current) return look()
      next ??= current.then(look, look)
      return next
    },
  }
}
