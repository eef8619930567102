import { createHash } from 'node:crypto'
import { readdirSync, readFileSync } from 'node:fs'
import { resolve } from 'node:path'

/** What runs on this machine for the action containers of one hub, seen from outside (Linux: /proc). */
export type ContainerProcess = { readonly pid: number; readonly command: string; readonly state: string }

export const processesCanBeSeen = process.platform === 'linux'

/** Processes that carry the marker of the containers of the hub with this data directory. */
export function containerProcesses(dataDir: string): ContainerProcess[] {
  const owner = createHash('sha256').update(resolve(dataDir)).digest('hex').slice(0, 16)
  return processes((_, environment) => environment.includes(`SLUICE_CONTAINER=${owner}.`))
}

/** Processes whose command line holds a text, whatever their environment is. */
export function processesNamed(text: string): ContainerProcess[] {
  return processes(command => command.includes(text))
}

function processes(isWanted: (command: string, environment: string) => boolean): ContainerProcess[] {
  return readdirSync('/proc')
    .filter(name => /^\d+$/.test(name) && Number(name) !== process.pid)
    .flatMap(pid => {
      try {
        const command = readFileSync(`/proc/${pid}/cmdline`, 'utf8').replaceAll('\0', ' ').trim()
        // A process that was ended and not yet waited for has no command line.
        if (command === '' || !isWanted(command, readFileSync(`/proc/${pid}/environ`, 'utf8'))) return []
        // Behind the name in brackets: `S` sleeping, `T` stopped, ...
        const state = readFileSync(`/proc/${pid}/stat`, 'utf8')
          .replace(/^.*\) /s, '')
          .charAt(0)
        return [{ pid: Number(pid), command, state }]
      } catch {
        return []
      }
    })
}
