import { spawn } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, it, onTestFinished } from 'vitest'
import { builtServer } from './testing/built-server.ts'

it('a container that is a process ends when the hub that started it was killed', async () => {
  const serverPath = await builtServer()
  const folder = mkdtempSync(join(tmpdir(), 'sluice-orphan-'))
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }))
  const env = { ...process.env, SLUICE_LISTEN: join(folder, 's') }
  const script = `const child = require('node:child_process').spawn(process.execPath, [${JSON.stringify(serverPath)}], { detached: true, stdio: 'ignore', env: { ...process.env, SLUICE_PARENT: String(process.pid) } })
    console.log(child.pid); setInterval(() => {}, 1000)`
  const hub = spawn(process.execPath, ['-e', script], { env, stdio: ['ignore', 'pipe', 'inherit'] })
  const pid = Number(await new Promise(done => hub.stdout.once('data', done)))
  expect(isAlive(pid)).toBe(true)
  hub.kill('SIGKILL')
  await expect.poll(() => isAlive(pid), { timeout: 10_000 }).toBe(false)
})

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0)
    // Not yet reaped by whoever inherited it: ended all the same.
    return process.platform !== 'linux' || !/^\d+ \(.*\) Z/.test(readFileSync(`/proc/${pid}/stat`, 'utf8'))
  } catch {
    return false
  }
}
