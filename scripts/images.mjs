/**
 * `npm run images [-- --help]`: builds the images of the runtimes with the container engine that answers, and says which
 * were built and how large they are above their base. Speaks the Engine API itself: no `docker` command is needed.
 */
import { execFileSync } from 'node:child_process'
import { createHash } from 'node:crypto'
import { existsSync, readdirSync, readFileSync, statSync } from 'node:fs'
import { request } from 'node:http'
import { createRequire } from 'node:module'
import { join, relative } from 'node:path'
import { parseArgs } from 'node:util'
import { root, setUp } from './setup.mjs'

const runtimes = join(root, 'runtimes')
/** What an image may add to its base. */
const addedBytesMax = 15e6

const help = `Usage: npm run images -- [options] [nodejs] [python] [skeleton]

Builds the images that run actions in containers. Without names: all of them.

  --node VERSION     major version of Node.js for nodejs (20)
  --python VERSION   version of Python for python (3.11)
  --force            build also what is up to date
  --list             only say which images there are
  --help             this text

The engine is found by DOCKER_HOST (unix:// or tcp://), else at /var/run/docker.sock.
`

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    node: { type: 'string', default: '20' },
    python: { type: 'string', default: '3.11' },
    force: { type: 'boolean', default: false },
    list: { type: 'boolean', default: false },
    help: { type: 'boolean', default: false },
  },
})

/** The images by name: their tag, their base, what the build is told, and the files it gets. */
const images = {
  nodejs: {
    tag: `sluice/action-nodejs-v${values.node}:latest`,
    base: `node:${values.node}-bookworm-slim`,
    arguments: { NODE: values.node },
    files: nodejsFiles,
  },
  python: {
    tag: `sluice/action-python-v${values.python}:latest`,
    base: `python:${values.python}-slim-bookworm`,
    arguments: { PYTHON: values.python },
    files: () => [...proxyFiles(), ...folderFiles(join(runtimes, 'python'), 'python', isPythonInput)],
  },
  skeleton: {
    tag: 'sluice/action-skeleton:latest',
    base: `python:${values.python}-slim-bookworm`,
    arguments: { PYTHON: values.python },
    files: () => [...proxyFiles(), ...folderFiles(join(runtimes, 'skeleton'), 'skeleton', () => true)],
  },
}

if (values.help) {
  process.stdout.write(help)
} else {
  process.exitCode = await main().catch(error => {
    process.stderr.write(`${error.message}\n`)
    return 1
  })
}

async function main() {
  const names = positionals.length > 0 ? positionals : Object.keys(images)
  for (const name of names) {
    if (!Object.hasOwn(images, name)) throw new Error(`There is no image '${name}': ${Object.keys(images).join(', ')}.`)
  }
  await checkEngine()
  if (!values.list) await setUp({ build: false })
  let failed = 0
  for (const name of names) {
    const image = images[name]
    const startedMs = Date.now()
    const state = values.list ? await stateOf(image) : await ensure(name, image)
    const seconds = `${((Date.now() - startedMs) / 1000).toFixed(1)} s`
    process.stdout.write(`${image.tag.padEnd(36)} ${state}${values.list ? '' : `, ${seconds}`}\n`)
    if (state.startsWith('failed')) failed++
  }
  return failed > 0 ? 1 : 0
}

async function stateOf(image) {
  return (await inspect(image.tag)) === undefined ? 'missing: npm run images builds it' : await sizes(image)
}

/** Builds an image unless it was built from the same files before; says what happened. */
async function ensure(name, image) {
  const files = image.files()
  const recipe = digest(files, image)
  const present = await inspect(image.tag)
  if (!values.force && present?.Config.Labels?.['sluice.recipe'] === recipe) {
    return `is up to date, ${await sizes(image)}`
  }
  const error = await build(name, image, recipe, files)
  return error === undefined ? `built, ${await sizes(image)}` : `failed: ${error}`
}

async function sizes(image) {
  const { Size: bytes } = await inspect(image.tag)
  const base = await inspect(image.base)
  if (base === undefined) return megabytes(bytes)
  const added = bytes - base.Size
  const verdict = added > addedBytesMax ? ` (more than ${megabytes(addedBytesMax)})` : ''
  return `${megabytes(bytes)}, ${megabytes(added)} above ${image.base}${verdict}`
}

function megabytes(bytes) {
  return `${(bytes / 1e6).toFixed(1)} MB`
}

function digest(files, image) {
  const hash = createHash('sha256').update(JSON.stringify(image.arguments))
  for (const { name, mode, content } of files) hash.update(`${name}\0${mode}\0${content.length}\0`).update(content)
  return hash.digest('hex').slice(0, 32)
}

// ---------------------------------------------------------------- files of the build

function proxyFiles() {
  return folderFiles(
    join(runtimes, 'proxy'),
    'proxy',
    name => /(^go\.mod|\.go)$/.test(name) && !/_test\.go$/.test(name),
  )
}

function isPythonInput(name) {
  return name === 'Dockerfile' || name === 'requirements.txt' || (/^launcher\//.test(name) && /\.py$/.test(name))
}

function nodejsFiles() {
  const folder = join(runtimes, 'nodejs')
  execFileSync(process.execPath, [join(root, 'node_modules/typescript/bin/tsc'), '-b', folder], { stdio: 'inherit' })
  return [
    { name: 'nodejs/Dockerfile', mode: 0o644, content: readFileSync(join(folder, 'Dockerfile')) },
    ...folderFiles(join(folder, 'image'), 'app', () => true),
    ...folderFiles(join(folder, 'dist/src'), 'app/src', name => name.endsWith('.js')),
    ...productionPackages(folder).flatMap(({ name, path }) =>
      folderFiles(path, `node_modules/${name}`, isPackageInput, path),
    ),
  ]
}

/** Code and what says how to load and use it; no types, maps and documents. */
function isPackageInput(name) {
  return !/(\.d\.[cm]?ts|\.map|\.md|\.markdown|\.ts|\.tsbuildinfo|\.yml|\.flow)$|(^|\/)(test|tests|docs|example|examples|\.github)\//i.test(
    name,
  )
}

/** Every package that the runtime needs, each with the place in `node_modules` where the image has it too. */
function productionPackages(folder) {
  const found = new Map()
  const visit = (from, dependencies) => {
    for (const name of Object.keys(dependencies ?? {})) {
      const path = packageFolder(name, from)
      if (path === undefined || found.has(path)) continue
      found.set(path, { name: placeOf(path), path })
      visit(path, JSON.parse(readFileSync(join(path, 'package.json'), 'utf8')).dependencies)
    }
  }
  visit(folder, JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8')).dependencies)
  return [...found.values()].sort((a, b) => (a.name < b.name ? -1 : 1))
}

function packageFolder(name, from) {
  const places = createRequire(join(from, 'package.json')).resolve.paths(name) ?? []
  return places.map(place => join(place, name)).find(path => existsSync(join(path, 'package.json')))
}

/** `express/node_modules/cookie` stays nested; a workspace's own `node_modules` counts as the top. */
function placeOf(path) {
  const parts = relative(root, path).split('/')
  return parts.slice(parts.indexOf('node_modules') + 1).join('/')
}

function folderFiles(folder, into, wanted, top = folder) {
  return readdirSync(folder, { withFileTypes: true })
    .sort((a, b) => (a.name < b.name ? -1 : 1))
    .flatMap(entry => {
      const path = join(folder, entry.name)
      if (entry.isDirectory()) {
        if (entry.name === 'node_modules' || entry.name === '__pycache__') return []
        return folderFiles(path, into, wanted, top)
      }
      const name = relative(top, path)
      if (!entry.isFile() || !wanted(name)) return []
      const mode = statSync(path).mode & 0o111 ? 0o755 : 0o644
      return [{ name: `${into}/${name}`, mode, content: readFileSync(path) }]
    })
}

// ---------------------------------------------------------------- engine

async function checkEngine() {
  const answer = await engine('GET', '/_ping').catch(error => ({ error }))
  if (answer.status === 200) return
  throw new Error(`No container engine answers (${answer.error?.message ?? `status ${answer.status}`}). See --help.`)
}

async function inspect(tag) {
  const { status, body } = await engine('GET', `/images/${tag}/json`)
  return status === 200 ? JSON.parse(body) : undefined
}

/** Resolves with the engine's complaint, or nothing. Shows the build's steps as they come. */
async function build(name, image, recipe, files) {
  const query = new URLSearchParams({
    t: image.tag,
    dockerfile: `${name}/Dockerfile`,
    buildargs: JSON.stringify(image.arguments),
    labels: JSON.stringify({ 'sluice.recipe': recipe }),
    forcerm: 'true',
  })
  const show = progress(image.tag)
  let complaint
  const output = []
  const { status, body } = await engine('POST', `/build?${query}`, await archive(files), line => {
    if (line.stream) {
      output.push(line.stream)
      const step = /^Step (\d+\/\d+) : (.*)/.exec(line.stream)
      if (step) show(`step ${step[1]}: ${step[2]}`)
    }
    if (line.status) show(`${line.status} ${line.id ?? ''} ${line.progress ?? ''}`)
    if (line.error) complaint = line.error
  })
  show()
  if (status !== 200) return JSON.parse(body).message
  if (complaint !== undefined) process.stderr.write(output.slice(-40).join(''))
  return complaint
}

/** One line that is written over on a terminal; elsewhere a line for each step. */
function progress(title) {
  const terminal = process.stderr.isTTY === true
  return text => {
    if (text === undefined) return terminal && process.stderr.write('\r\x1b[2K')
    const line = `${title}: ${text}`.slice(0, process.stderr.columns ?? 120)
    process.stderr.write(terminal ? `\r\x1b[2K${line}` : text.startsWith('step') ? `${line}\n` : '')
  }
}

async function archive(files) {
  // One of the Node.js runtime's own packages: there after setUp.
  const { pack } = createRequire(join(runtimes, 'nodejs/package.json'))('tar-stream')
  const tar = pack()
  for (const { name, mode, content } of files) tar.entry({ name, mode, mtime: new Date(0) }, content)
  tar.finalize()
  return tar
}

function engineAddress() {
  const host = process.env.DOCKER_HOST ?? 'unix:///var/run/docker.sock'
  if (host.startsWith('unix://')) return { socketPath: host.slice('unix://'.length) }
  const { hostname, port } = new URL(host.replace(/^tcp:/, 'http:'))
  return { hostname, port: port || 2375 }
}

/** Calls the Engine API; `onLine` gets each line of a stream of JSON. */
function engine(method, path, stream, onLine) {
  return new Promise((resolve, reject) => {
    const headers = stream ? { 'Content-Type': 'application/x-tar' } : {}
    const sent = request({ ...engineAddress(), method, path, headers }, response => {
      let body = ''
      response.setEncoding('utf8').on('data', text => {
        body += text
        if (!onLine || response.statusCode !== 200) return
        const lines = body.split('\n')
        body = lines.pop()
        for (const line of lines) if (line.trim() !== '') onLine(JSON.parse(line))
      })
      response.on('end', () => resolve({ status: response.statusCode, body }))
      response.on('error', reject)
    })
    sent.on('error', reject)
    if (stream) stream.pipe(sent)
    else sent.end()
  })
}
