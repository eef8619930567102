import { existsSync, readFileSync } from 'node:fs'
import { homedir } from 'node:os'
import { join } from 'node:path'
import { replaceFile } from './durable-file.ts'

/**
 * Writes API host and key where OpenWhisk's clients look for them: `path`, else $WSK_CONFIG_FILE, else ~/.wskprops
 * (0600). Other lines of the file stay. A file that leads to another API host is somebody's access to it and is left
 * alone, unless its path was named on purpose. `text` tells what was done, or why nothing was.
 */
export function writeWskprops(options: {
  path?: string
  apiHost: string
  auth: string
  env: Readonly<Record<string, string | undefined>>
}): { written: boolean; text: string } {
  const { apiHost, auth, env } = options
  const path = options.path ?? env.WSK_CONFIG_FILE ?? join(env.HOME ?? homedir(), '.wskprops')
  try {
    const lines = existsSync(path)
      ? readFileSync(path, 'utf8')
          .split('\n')
          .filter(line => line.trim() !== '')
      : []
    const before = valueOf(lines, 'APIHOST')
    if (options.path === undefined && before !== undefined && !isLocal(before)) {
      return {
        written: false,
        text: `${path} leads to ${before} and was left alone. Name the file to replace it: --write-wskprops ${path}`,
      }
    }
    const others = lines.filter(line => !['APIHOST', 'AUTH'].includes(nameOf(line)))
    replaceFile(path, `${[`APIHOST=${apiHost}`, `AUTH=${auth}`, ...others].join('\n')}\n`)
    const trap =
      valueOf(others, 'NAMESPACE') === undefined ? '' : ' Its NAMESPACE line makes wsk send tokens instead of keys.'
    return { written: true, text: `${path} now leads OpenWhisk's clients to this hub.${trap}` }
  } catch (error) {
    return { written: false, text: `${path} could not be written: ${(error as Error).message}` }
  }
}

function nameOf(line: string): string {
  return (line.split('=', 1)[0] ?? '').trim()
}

function valueOf(lines: readonly string[], name: string): string | undefined {
  const line = lines.find(candidate => nameOf(candidate) === name)
  return line?.slice(line.indexOf('=') + 1).trim()
}

/** Hubs on this machine come and go; nobody loses anything when their address is replaced. */
function isLocal(apiHost: string): boolean {
  return /^(https?:\/\/)?(localhost|127\.\d+\.\d+\.\d+|\[::1\])(:\d+)?\/?$/i.test(apiHost)
}
