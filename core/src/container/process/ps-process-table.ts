import { execFile } from 'node:child_process'
import { promisify } from 'node:util'
import { markerName, type ProcessInfo, type ProcessTable } from './process-table.ts'

const run = promisify(execFile)
const outputBytesMax = 64 * 1024 * 1024
const runMsMax = 10_000

/** `pid ppid pgid state weekday month day time year command and environment`: the form of BSD's and Linux's `ps` alike. */
const row = /^\s*(\d+)\s+(\d+)\s+(\d+)\s+(\S+)\s+(\S+\s+\S+\s+\S+\s+\S+\s+\S+)\s(.*)$/
const markerValue = new RegExp(` ${markerName}=(\\S+)`)

/** Where there is no `/proc` (macOS): the `ps` command, which shows the environment of a user's own processes. */
export function createPsProcessTable(): ProcessTable {
  let seen: ReadonlySet<number> = new Set()

  async function list(): Promise<ProcessInfo[]> {
    const output = await ps(['axeww', '-o', 'pid=,ppid=,pgid=,stat=,lstart=,command='])
    return output.split('\n').flatMap(line => parseRow(line) ?? [])
  }
  async function residentBytes(pids: readonly number[]): Promise<Map<number, number>> {
    if (pids.length === 0) return new Map()
    const output = await ps(['-o', 'pid=,rss=', '-p', pids.join(',')])
    const rows = output.split('\n').map(line => line.trim().split(/\s+/).map(Number))
    return new Map(rows.flatMap(([pid, kib]) => (pid && kib ? [[pid, kib * 1024] as const] : [])))
  }

  return {
    list,
    async appeared() {
      const all = await list()
      const fresh = all.filter(info => !seen.has(info.pid))
      seen = new Set(all.map(info => info.pid))
      return fresh
    },
    residentBytes,
    async proportionalBytes(pids) {
      let sum = 0
      for (const bytes of (await residentBytes(pids)).values()) sum += bytes
      return sum
    },
  }
}

async function ps(args: string[]): Promise<string> {
  try {
    const env = { PATH: '/bin:/usr/bin', LC_ALL: 'C' }
    const { stdout } = await run('ps', args, { env, maxBuffer: outputBytesMax, timeout: runMsMax })
    return stdout
  } catch (error) {
    // Exit code 1 says that none of the processes lives.
    if ((error as { code?: unknown }).code === 1) return ''
    throw error
  }
}

function parseRow(line: string): ProcessInfo | undefined {
  const [, pid, parent, group, state, started, command] = row.exec(line) ?? []
  if (state === undefined || state.startsWith('Z') || started === undefined) return undefined
  const marker = markerValue.exec(command ?? '')?.[1]
  return { pid: Number(pid), parent: Number(parent), group: Number(group), started, marker }
}
