import { execFile } from 'node:child_process'
import { basename, dirname, join } from 'node:path'

/** What a container factory needs to start Python actions as processes: `<python> ...args`. */
export type PythonRuntime = {
  /** Absolute path of the interpreter. */
  readonly command: string
  /** Options of the interpreter, and the program that serves /init and /run. */
  readonly args: readonly string[]
  /** The kinds that it serves: `python:3.11`, and `python:3` for whatever Python 3 there is. */
  readonly kinds: readonly string[]
}

/** Minor versions of Python 3 with which the runtime keeps its contract; the first one is the default. */
export const pythonMinors = [11, 9, 10, 12, 13] as const

const askMsMax = 5000
/** `-P`-like: nothing of the environment or the user decides what is imported. */
const options = ['-E', '-s', '-X', 'utf8']

/**
 * Finds a Python that can run actions: `python3.11` if there is one, else another version of ours. Asking the interpreter
 * itself is the only way that also works behind the shims of version managers, whose start costs more than Python's own.
 */
export async function findPython(env: NodeJS.ProcessEnv = process.env): Promise<PythonRuntime | undefined> {
  const names = ['python3.11', 'python3']
  const found = await Promise.all(names.map(name => ask(name, env)))
  return found.find(runtime => runtime !== undefined)
}

async function ask(name: string, env: NodeJS.ProcessEnv): Promise<PythonRuntime | undefined> {
  const question = 'import sys; print(sys.version_info[0], sys.version_info[1], sys.executable)'
  const answer = await new Promise<string>(resolve => {
    execFile(name, [...options, '-c', question], { env, timeout: askMsMax }, (error, stdout) =>
      resolve(error ? '' : stdout),
    )
  })
  const [, major, minor, command] = /^(\d+) (\d+) (\/.*)$/m.exec(answer) ?? []
  if (major !== '3' || command === undefined || !pythonMinors.some(known => String(known) === minor)) return undefined
  return { command, args: [...options, servePath(import.meta.dirname)], kinds: [`python:3.${minor}`, 'python:3'] }
}

/** This module lies in <package>/src or in <package>/dist/src; the launcher is not compiled. */
function servePath(here: string): string {
  const home = dirname(basename(dirname(here)) === 'dist' ? dirname(here) : here)
  return join(home, 'launcher', 'serve.py')
}
