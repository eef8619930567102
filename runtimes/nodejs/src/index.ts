import { basename, dirname, join } from 'node:path'

/** What a container factory needs to start the runtime: `<node> ...nodeArgs(memoryMb) <serverPath>`. */
export type NodejsRuntime = {
  /** Family of the kinds: `nodejs:20`. */
  readonly family: 'nodejs'
  /** Major versions of Node.js with which the runtime keeps its contract. */
  readonly majors: readonly number[]
  /** Absolute path of the built program, also when this module runs from its source. */
  readonly serverPath: string
  /** The kind that a Node.js binary can serve; undefined if it is none of ours. `version` as in `process.version`. */
  kindOf(version: string): string | undefined
  /** Options for the binary; `memoryMb` is the container's memory limit in MiB. */
  nodeArgs(memoryMb: number): string[]
}

export function nodejsRuntime(): NodejsRuntime {
  const majors = [20, 22, 24]
  return {
    family: 'nodejs',
    majors,
    serverPath: builtServer(__dirname),
    kindOf(version) {
      const major = Number(/^v?(\d+)\./.exec(version)?.[1])
      return majors.includes(major) ? `nodejs:${major}` : undefined
    },
    nodeArgs: memoryMb => ['--expose-gc', `--max-old-space-size=${memoryMb}`],
  }
}

/** This module lies in <package>/src or in <package>/dist/src. */
function builtServer(here: string): string {
  return basename(dirname(here)) === 'dist' ? join(here, 'server.js') : join(here, '..', 'dist', 'src', 'server.js')
}
