import { delimiter, dirname } from 'node:path'
import { markerName } from './process-table.ts'

/**
 * The complete environment of a container's process: what the invoker gives (runtimes.md §1.1) and the few things every
 * program expects. Nothing is taken from the hub's own environment, which holds its secrets.
 */
export function containerEnvironment(options: {
  readonly given: Readonly<Record<string, string>>
  readonly command: string
  readonly directory: string
  readonly socketPath: string
  readonly marker: string
}): Record<string, string> {
  return {
    PATH: [dirname(options.command), '/usr/local/bin', '/usr/bin', '/bin'].join(delimiter),
    LANG: 'C.UTF-8',
    ...options.given,
    HOME: options.directory,
    TMPDIR: options.directory,
    SLUICE_LISTEN: options.socketPath,
    // The runtime ends when this process is not its parent any more.
    SLUICE_PARENT: String(process.pid),
    [markerName]: options.marker,
  }
}
