import { createHash } from 'node:crypto'
import { readdirSync, readFileSync } from 'node:fs'
import { resolve } from 'node:path'

/** What runs on this machine for the action containers of one hub, seen from outside (Linux: /proc). */
export type ContainerProcess = { readonly pid: number; readonly command: string; readonly state: string }

export const processesCanBeSeen = process.platform === 'linux'

/**
 * Processes of the containers of the hub with this data directory: plain ones carry its marker, those of an engine have
 * its directory of sockets mounted.
 */
export function containerProcesses(dataDir: string): ContainerProcess[] {
  const owner = digest(resolve(dataDir), 16)
  const sockets = `/sluice-d-${digest(`${owner}.0`, 12)}-`
  return processes(({ environment, mounts }) => {
    return environment.includes(`SLUICE_CONTAINER=${owner}.`) || mounts.includes(sockets)
  })
}

/** Whether a process stands still: stopped by a signal, or frozen by the engine. */
export function standsStill({ state }: ContainerProcess): boolean {
  return state === 'T' || (state === 'D' && process.env.SLUICE_TEST_CONTAINERS === 'docker')
}

function digest(text: string, length: number): string {
  return createHash('sha256').update(text).digest('hex').slice(0, length)
}

/** Processes whose command line holds a text, whatever their environment is. */
export function processesNamed(text: string): ContainerProcess[] {
  return processes(({ command }) => command.includes(text))
}

type Found = { readonly command: string; readonly environment: string; readonly mounts: string }

function processes(isWanted: (found: Found) => boolean): ContainerProcess[] {
  return readdirSync('/proc')
    .filter(name => /^\d+$/.test(name) && Number(name) !== process.pid)
    .flatMap(pid => {
      try {
        const command = readFileSync(`/proc/${pid}/cmdline`, 'utf8').replaceAll('\0', ' ').trim()
        // A process that was ended and not yet waited for has no command line.
        if (command === '') return []
        const environment = readFileSync(`/proc/${pid}/environ`, 'utf8')
        if (!isWanted({ command, environment, mounts: readFileSync(`/proc/${pid}/mountinfo`, 'utf8') })) return []
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
