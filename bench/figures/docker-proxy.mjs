import { execFileSync } from 'node:child_process'
import { chmodSync, mkdtempSync, rmSync } from 'node:fs'
import { Agent, request } from 'node:http'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { pause, serial } from '../load.mjs'

/**
 * What the proxy and the launcher of a language cost a warm run: `/run` of a no-op action in a container that nobody else
 * talks to, by its unix socket, without a hub. The client's own share (about 0.1 ms) is in it.
 */
export async function proxyOverhead(calls) {
  const directory = mkdtempSync(join(tmpdir(), 'sluice-bench-'))
  chmodSync(directory, 0o777)
  const id = docker(
    ...['run', '--detach', '--rm', '--network', 'none', '--memory', '256m'],
    ...['--volume', `${directory}:/run/sluice`, '--env', '__OW_LISTEN_SOCKET=/run/sluice/listen'],
    'sluice/action-python-v3.11',
  )
  const agent = new Agent({ keepAlive: true, maxSockets: 1 })
  const post = (path, body) => posted(agent, join(directory, 'listen'), path, body)
  try {
    await ready(() =>
      post('/init', { value: { name: 'noop', main: 'main', binary: false, code: 'def main(args):\n    return {}\n' } }),
    )
    const run = () => post('/run', { value: {}, activation_id: '0'.repeat(32) })
    await serial(300, run)
    return { 'Docker, proxy and launcher, warm /run, p50 ms': (await serial(calls, run)).p(50) }
  } finally {
    agent.destroy()
    docker('rm', '--force', id)
    rmSync(directory, { recursive: true, force: true })
  }
}

function docker(...args) {
  return execFileSync('docker', args, { encoding: 'utf8', stdio: ['ignore', 'pipe', 'inherit'] }).trim()
}

/** Until the container listens; 10 s at most. */
async function ready(init) {
  for (let tries = 0; ; tries++) {
    try {
      return await init()
    } catch (error) {
      if (tries === 100 || !['ENOENT', 'ECONNREFUSED'].includes(error.code)) throw error
      await pause(100)
    }
  }
}

function posted(agent, socketPath, path, body) {
  return new Promise((done, fail) => {
    const text = JSON.stringify(body)
    const headers = { 'content-type': 'application/json', 'content-length': Buffer.byteLength(text) }
    const call = request({ agent, socketPath, path, method: 'POST', headers }, answer => {
      answer.on('error', fail)
      answer.on('end', () => (answer.statusCode === 200 ? done() : fail(new Error(`${path}: ${answer.statusCode}`))))
      answer.resume()
    })
    call.on('error', fail)
    call.end(text)
  })
}
