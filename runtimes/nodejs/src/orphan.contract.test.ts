import { spawn } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, it, onTestFinished } from 'vitest'
import { builtServer } from './testing/built-server.ts'

it('a container that is a process ends when the hub that started it was killed', async () => {
  const serverPath = await builtServer()
  const folder = mkdtempSync(join(tmpdir(), 'sluice-orphan-'))
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }))
  const env = { ...process.env, SLUICE_LISTEN: join(folder, 's'), SLUICE_CONTAINER: 'x' }
  const script = `const child = require('node:child_process').spawn(process.execPath, [${JSON.stringify(serverPath)}], { detached: true, stdio: 'ignore' })
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
    return true
  } catch {
    return false
  }
}
