import type { Attempt } from './run-probe.ts'

/** The table of docs/security.md: what each attempt of the probe came to, by how actions are run. */
export type Way = 'Docker' | 'process, ordinary user' | 'process, root'
export type Outcomes = Readonly<Partial<Record<Way, readonly Attempt[]>>>

const ways: readonly Way[] = ['Docker', 'process, ordinary user', 'process, root']
const begin = '<!-- What the probe found; test/hub/probe.test.ts compares it. -->'
const end = '<!-- End of what the probe found. -->'

/** Where no container holds an attempt back, the machine decides about these: its devices, routes, settings and rights. */
export const machineDecides: ReadonlySet<string> = new Set([
  'gain the rights of a set-user-ID program',
  'use a capability: give a file to another user',
  'be root in a user namespace',
  'mount a file system',
  'write a setting of the kernel',
  'read the memory or the log of the kernel',
  'make system calls that containers do not need',
  'read a disk as a device, or make a device',
  'hold more than 1,024 open files',
  "reach the container engine's socket",
  "reach the cloud's metadata address",
  'reach the internet',
  "leave by a leaked descriptor, a cgroup's release agent or the starter's program",
])

/** One line for each attempt, in the order of the probe. */
export function printTable(outcomes: Outcomes): string {
  const attempts = Object.values(outcomes)[0] ?? []
  const lines = [...attempts]
    .sort((a, b) => groups.indexOf(a.group) - groups.indexOf(b.group))
    .map(({ name, group }) => {
      const cells = ways.map(way => {
        const found = outcomes[way]?.find(attempt => attempt.name === name)
        if (found === undefined) return '?'
        const note = way !== 'Docker' && machineDecides.has(name) ? ' (the machine decides)' : ''
        return `${found.denied ? 'denied' : '**possible**'}${note}`
      })
      return `| ${group} | ${name} | ${cells.join(' | ')} |`
    })
  return [`| | to | ${ways.join(' | ')} |`, `|---|---|${ways.map(() => '---|').join('')}`, ...lines].join('\n')
}

const groups = [
  'privilege',
  'kernel',
  'files',
  'resources',
  'host',
  'network',
  'runtime takeover',
  'neighbour data',
  'platform secrets',
  'known runtime escape',
]

/** The page with this table in the place of its own. */
export function withTable(page: string, table: string): string {
  const [before = '', rest = ''] = page.split(begin)
  return `${before}${begin}\n\n${table}\n\n${end}${rest.split(end)[1] ?? ''}`
}

/** What a page says: for each way the names of the attempts that are possible, and of all. Throws without a table. */
export function readTable(page: string): Readonly<Record<Way, { gaps: string[]; names: string[] }>> {
  const rows = page
    .slice(page.indexOf(begin), page.indexOf(end))
    .split('\n')
    .filter(line => /^\| [a-z]/.test(line))
    .map(line => line.split('|').map(cell => cell.trim()))
  if (rows.length === 0) throw new Error('The page has no table of the probe.')
  const column = (way: Way) => {
    const at = 3 + ways.indexOf(way)
    return {
      names: rows.map(cells => cells[2] ?? ''),
      gaps: rows.filter(cells => cells[at]?.startsWith('**possible**')).map(cells => cells[2] ?? ''),
    }
  }
  return {
    Docker: column('Docker'),
    'process, ordinary user': column('process, ordinary user'),
    'process, root': column('process, root'),
  }
}
