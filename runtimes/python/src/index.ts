import { execFileSync } from 'node:child_process'
import { accessSync, closeSync, constants, openSync, readSync, realpathSync } from 'node:fs'
import { basename, delimiter, dirname, join } from 'node:path'

/** What a container factory needs to start Python actions as processes: `<command> ...args`. */
export type PythonRuntime = {
  /** Absolute path of the interpreter. */
  readonly command: string
  /** Options of the interpreter, and the program that serves /init and /run. */
  readonly args: readonly string[]
  /** The kinds that it serves: `python:3.11`, and `python:3` for whatever Python 3 there is. */
  readonly kinds: readonly string[]
}

/** Minor versions of Python 3 with which the runtime keeps its contract; the first one is the default. */
export const pythonMinors = [11, 12, 13, 10, 9] as const

/** Nothing of the user's environment decides what is imported. */
const options = ['-E', '-s', '-X', 'utf8']
const askMsMax = 5000

/**
 * Finds the Python of this machine that runs actions: the first `python3.11` on the PATH, else `python3` of a version of
 * ours. What its name does not tell, like the shims of version managers, is asked, which takes long: it comes last.
 */
export function findPython(path = process.env['PATH'] ?? ''): PythonRuntime | undefined {
  const files = ['python3.11', 'python3'].flatMap(name => path.split(delimiter).map(folder => join(folder, name)))
  const programs = files.filter(isExecutable)
  const named = programs.filter(file => !isScript(file)).map(fromName)
  return named.find(runtime => runtime !== undefined) ?? firstOf(programs.filter(isScript), fromItself)
}

function fromName(file: string): PythonRuntime | undefined {
  const minor = /^python3\.(\d+)$/.exec(basename(realpathSync(file)))?.[1]
  return minor === undefined ? fromItself(file) : runtimeOf(file, minor)
}

function fromItself(file: string): PythonRuntime | undefined {
  const question = 'import sys; print(*sys.version_info[:2], sys.executable)'
  try {
    const answer = execFileSync(file, [...options, '-c', question], {
      timeout: askMsMax,
      encoding: 'utf8',
      stdio: ['ignore', 'pipe', 'ignore'],
    })
    const [, minor = '', command = ''] = /^3 (\d+) (\/.*)$/m.exec(answer) ?? []
    return runtimeOf(command, minor)
  } catch {
    return undefined
  }
}

function runtimeOf(command: string, minor: string): PythonRuntime | undefined {
  if (!pythonMinors.some(known => String(known) === minor)) return undefined
  return { command, args: [...options, servePath(import.meta.dirname)], kinds: [`python:3.${minor}`, 'python:3'] }
}

/** This module lies in <package>/src or in <package>/dist/src; the launcher is not compiled. */
function servePath(here: string): string {
  const home = dirname(basename(dirname(here)) === 'dist' ? dirname(here) : here)
  return join(home, 'launcher', 'serve.py')
}

function isExecutable(file: string): boolean {
  try {
    accessSync(file, constants.X_OK)
    return true
  } catch {
    return false
  }
}

function isScript(file: string): boolean {
  const head = Buffer.alloc(2)
  const descriptor = openSync(file, 'r')
  readSync(descriptor, head)
  closeSync(descriptor)
  return head.toString() === '#!'
}

function firstOf<T, R>(list: readonly T[], find: (entry: T) => R | undefined): R | undefined {
  for (const entry of list) {
    const found = find(entry)
    if (found !== undefined) return found
  }
  return undefined
}
