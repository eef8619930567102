import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { describe, expect, it, onTestFinished } from 'vitest'
import { createProcProcessTable } from './proc-process-table.ts'
import { createPsProcessTable } from './ps-process-table.ts'

const tables = {
  ...(process.platform === 'linux' && { '/proc': createProcProcessTable }),
  ps: createPsProcessTable,
}

/** A process with a marker and an awkward name, leader of its own group. */
async function start(marker: string) {
  const script = 'process.title = "odd ) name (1 2"; console.log("up"); setInterval(() => {}, 1e6)'
  const env = { FIRST: 'x', SLUICE_CONTAINER: marker, LAST: 'y' }
  const child = spawn(process.execPath, ['-e', script], { env, detached: true, stdio: ['ignore', 'pipe', 'ignore'] })
  onTestFinished(() => void child.kill('SIGKILL'))
  await once(child.stdout, 'data')
  return { child, pid: child.pid ?? 0 }
}

describe.each(Object.entries(tables))('ProcessTable: %s', (_name, createTable) => {
  it('tells parent, group and marker of a process', async () => {
    const { pid } = await start('mark.1')
    const found = (await createTable().list()).find(info => info.pid === pid)
    expect(found).toEqual({ pid, parent: process.pid, group: pid, marker: 'mark.1', started: expect.any(String) })
  })

  it('tells only new processes as appeared', async () => {
    const table = createTable()
    const older = await start('mark.2')
    expect((await table.appeared()).map(({ pid }) => pid)).toContain(older.pid)
    const newer = await start('mark.3')
    const pids = (await table.appeared()).map(({ pid }) => pid)
    expect(pids).toContain(newer.pid)
    expect(pids).not.toContain(older.pid)
  })

  it('measures resident memory in bytes', async () => {
    const table = createTable()
    const bytes = (await table.residentBytes([process.pid])).get(process.pid) ?? 0
    const expected = process.memoryUsage.rss()
    expect(bytes / expected).toBeGreaterThan(0.8)
    expect(bytes / expected).toBeLessThan(1.2)
    const proportional = await table.proportionalBytes([process.pid])
    expect(proportional / expected).toBeGreaterThan(0.3)
    expect(proportional / expected).toBeLessThan(1.2)
  })

  it('knows nothing of processes that have ended', async () => {
    const { child, pid } = await start('mark.4')
    const gone = once(child, 'exit')
    child.kill('SIGKILL')
    await gone
    const table = createTable()
    expect((await table.list()).some(info => info.pid === pid)).toBe(false)
    expect(await table.residentBytes([pid])).toEqual(new Map())
    expect(await table.proportionalBytes([pid])).toBe(0)
  })
})
