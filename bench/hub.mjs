/** Starts a hub for a figure: built, a process of its own, a data directory of its own, on loopback. */
import { spawn } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { wire } from './wire.mjs'

const program = fileURLToPath(new URL('../hub/dist/src/bin.js', import.meta.url))

/** `config` is YAML; `dataDir` is kept when given. Resolves when the hub is ready; `readyMs` from spawn to its banner. */
export async function startHub({ config = '', dataDir, args = ['--no-samples'] } = {}) {
  const folder = dataDir === undefined ? mkdtempSync(join(tmpdir(), 'sluice-bench-')) : undefined
  const data = dataDir ?? join(folder, 'data')
  const file = `${data}.yaml`
  writeFileSync(file, config)
  const sinceMs = performance.now()
  // Figures compare like with like: processes, unless SLUICE_BENCH_CONTAINERS says otherwise.
  const containers = ['--containers', process.env.SLUICE_BENCH_CONTAINERS ?? 'process']
  const options = ['--port', '0', '--data-dir', data, '--config', file, ...containers, ...args]
  const child = spawn(process.execPath, [program, ...options], {
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  let text = ''
  const exited = new Promise(done => child.once('exit', done))
  await new Promise((done, fail) => {
    const add = chunk => {
      text = (text + chunk).slice(-100_000)
      if (text.includes('Events, as they come')) done()
    }
    child.stdout.on('data', add)
    child.stderr.on('data', add)
    void exited.then(code => fail(new Error(`the hub ended with code ${code}:\n${text}`)))
  })
  const readyMs = performance.now() - sinceMs
  const url = /API host\s+(\S+)/.exec(text)[1]
  const key = /guest key\s+(\S+)/.exec(text)[1]
  const client = wire(url, 128)
  const bare = { authorization: `Basic ${Buffer.from(key).toString('base64')}` }
  const withBody = { ...bare, 'content-type': 'application/json' }
  return {
    url,
    key,
    data,
    readyMs,
    /** One API call below the namespace, or at `path` when that begins with `/`: `{ status, text }`. */
    call(method, path, body, headers) {
      const text = body === undefined || typeof body === 'string' ? body : JSON.stringify(body)
      const sent = text === undefined && headers === undefined ? bare : { ...withBody, ...headers }
      return client.call(method, path.startsWith('/') ? path : `/api/v1/namespaces/_/${path}`, sent, text)
    },
    async must(method, path, body) {
      const { status, text: answer } = await this.call(method, path, body)
      if (status >= 300) throw new Error(`${method} ${path}: ${status} ${answer}`)
      return answer === '' ? undefined : JSON.parse(answer)
    },
    rssMb: () => rssMb(child.pid),
    cpuMs: () => cpuMs(child.pid),
    async stop() {
      child.kill('SIGTERM')
      await exited
      client.close()
      if (folder !== undefined) rmSync(folder, { recursive: true, force: true })
    },
  }
}

function rssMb(pid) {
  const match = /VmRSS:\s+(\d+) kB/.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))
  return Number(match[1]) / 1024
}

/** CPU time of the process with all its threads, in ms; clock ticks are 10 ms. */
function cpuMs(pid) {
  const fields = readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ')[1].split(' ')
  return (Number(fields[11]) + Number(fields[12])) * 10
}

/** The no-op action that most figures run. */
export async function putNoop(hub, name = 'noop') {
  await hub.must('PUT', `actions/${name}?overwrite=true`, {
    exec: { kind: 'nodejs:default', code: 'function main() { return {} }' },
  })
}
