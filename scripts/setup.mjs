/**
 * Makes a clone ready to run: the right Node, the packages, the build. Only what is missing or out of date is done, and
 * finding that nothing is takes a few milliseconds. Uses nothing but Node itself: on a fresh clone there is nothing else.
 */
import { spawn } from 'node:child_process'
import { createHash } from 'node:crypto'
import { existsSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'

export const root = dirname(dirname(fileURLToPath(import.meta.url)))

const nodeMinimum = [20, 19]
/** npm writes the lock file and its copy in node_modules in one go, in either order. */
const lockToleranceMs = 10_000

/** Checks Node, installs packages and, unless told otherwise, builds. Ends the process with a clear line if it cannot. */
export async function setUp({ build = true } = {}) {
  checkNode()
  if (!isInstalled()) {
    await step('Installing packages', process.platform === 'win32' ? 'npm.cmd' : 'npm', ['ci', '--no-progress'])
    writeFileSync(installStamp(), lockDigest())
  }
  if (build && !isBuilt()) {
    const startedMs = Date.now()
    await step('Building', process.execPath, [join(root, 'node_modules/typescript/bin/tsc'), '-b'])
    // The stamp names when the build began: what was saved while it ran is built the next time.
    writeFileSync(buildStamp(), String(startedMs))
  }
}

/** Ends the process with code 1 when this Node is older than the hub needs. */
function checkNode() {
  const [major = 0, minor = 0] = process.versions.node.split('.').map(Number)
  if (major > nodeMinimum[0] || (major === nodeMinimum[0] && minor >= nodeMinimum[1])) return
  fail(`Sluice needs Node ${nodeMinimum.join('.')} or newer; this is ${process.versions.node}.`)
}

const installStamp = () => join(root, 'node_modules/.sluice-installed')
const buildStamp = () => join(root, '.build-stamp')
const lockDigest = () =>
  createHash('sha256')
    .update(readFileSync(join(root, 'package-lock.json')))
    .digest('hex')

/** Whether node_modules is what package-lock.json says. */
function isInstalled() {
  const copy = join(root, 'node_modules/.package-lock.json')
  if (!existsSync(copy)) return false
  if (existsSync(installStamp()) && readFileSync(installStamp(), 'utf8') === lockDigest()) return true
  // Somebody ran npm by hand: trust it if it ran after the lock file was last changed.
  return statSync(copy).mtimeMs + lockToleranceMs >= statSync(join(root, 'package-lock.json')).mtimeMs
}

/** Whether every source is older than the last build. A folder's time tells of files that went away. */
function isBuilt() {
  if (!existsSync(buildStamp())) return false
  const builtMs = Number(readFileSync(buildStamp(), 'utf8'))
  if (newerThan(join(root, 'tsconfig.base.json'), builtMs) || newerThan(join(root, 'tsconfig.json'), builtMs))
    return false
  const { references } = JSON.parse(readFileSync(join(root, 'tsconfig.json'), 'utf8'))
  return references.every(({ path }) => {
    const home = join(root, path)
    if (!existsSync(join(home, 'dist'))) return false
    if (newerThan(join(home, 'package.json'), builtMs) || newerThan(join(home, 'tsconfig.json'), builtMs)) return false
    return ['src', 'contract'].every(folder => !folderHasNewer(join(home, folder), builtMs))
  })
}

function folderHasNewer(folder, sinceMs) {
  if (!existsSync(folder)) return false
  if (newerThan(folder, sinceMs)) return true
  return readdirSync(folder, { withFileTypes: true }).some(entry => {
    const path = join(folder, entry.name)
    if (entry.isDirectory()) return folderHasNewer(path, sinceMs)
    return entry.name.endsWith('.ts') && !entry.name.endsWith('.test.ts') && newerThan(path, sinceMs)
  })
}

function newerThan(path, sinceMs) {
  return statSync(path).mtimeMs > sinceMs
}

/** Runs a command out of sight, with a line that tells how long it takes; what it printed is shown only if it fails. */
async function step(title, command, args) {
  const startedMs = Date.now()
  const seconds = () => `${((Date.now() - startedMs) / 1000).toFixed(0)} s`
  const terminal = process.stderr.isTTY === true
  if (!terminal) process.stderr.write(`${title} ...\n`)
  const frames = '⠋⠙⠹⠸⠼⠴⠦⠧⠇⠏'
  let frame = 0
  const draw = () => process.stderr.write(`\r\x1b[2K${frames[frame++ % frames.length]} ${title} ... ${seconds()}`)
  const spinner = terminal ? setInterval(draw, 100) : undefined
  const { code, output } = await run(command, args)
  clearInterval(spinner)
  if (terminal) process.stderr.write('\r\x1b[2K')
  if (code === 0) {
    process.stderr.write(`${title}: done in ${seconds()}\n`)
    return
  }
  process.stderr.write(output)
  fail(`${title} failed: "${[command, ...args].join(' ')}" ended with code ${code}.`)
}

function run(command, args) {
  return new Promise(resolve => {
    const child = spawn(command, args, { cwd: root, stdio: ['ignore', 'pipe', 'pipe'] })
    let output = ''
    const keep = text => (output = (output + text).slice(-100_000))
    child.stdout.on('data', keep)
    child.stderr.on('data', keep)
    child.on('error', error => resolve({ code: 1, output: `${error.message}\n` }))
    child.on('close', code => resolve({ code: code ?? 1, output }))
  })
}

function fail(line) {
  process.stderr.write(`${line}\n`)
  process.exit(1)
}
