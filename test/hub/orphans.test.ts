import { dirname } from 'node:path'
import { expect, it, onTestFinished } from 'vitest'
import { createApi, eventually } from '../rig/api.ts'
import { containerProcesses, processesCanBeSeen } from '../rig/container-processes.ts'
import { removeDirectory, startHub } from '../rig/hub-process.ts'
import { remainsOf } from '../rig/remains.ts'

const code = `const { spawn } = require('child_process')
function main(args) {
  if (args.stray) spawn('sleep', ['300'], { detached: true, stdio: 'ignore' }).unref()
  return args.ms ? new Promise(done => setTimeout(done, args.ms)) : {}
}`

// Seen from outside through /proc, and of process containers alone: containers of an engine are looked after by the engine.
it.runIf(processesCanBeSeen && (process.env.SLUICE_TEST_CONTAINERS ?? 'process') === 'process')(
  '[rel:R1] [sec:S20] a hub that is killed leaves no process behind: none that stands still, runs, or left its group',
  async () => {
    const hub = await startHub({ config: 'invoker: { prewarm: [], pauseGraceMs: 200 }' })
    const api = createApi(hub.url, hub.keys.alpha)
    onTestFinished(async () => {
      await api.close()
      await hub.kill()
      removeDirectory(dirname(hub.dataDir))
    })
    for (const name of ['naps', 'works']) {
      await api.call('PUT', `actions/${name}`, { body: { exec: { kind: 'nodejs:20', code } } })
    }
    expect((await api.call('POST', 'actions/naps?blocking=true', { body: { stray: true } })).status).toBe(200)
    await api.call('POST', 'actions/works', { body: { ms: 40_000 } })
    await eventually(async () => {
      const states = containerProcesses(hub.dataDir).map(({ state }) => state)
      return states.includes('T') && states.length >= 3
    })
    await hub.kill()
    await eventually(async () => containerProcesses(hub.dataDir).length === 0, 5000)
  },
  60_000,
)

it.runIf(processesCanBeSeen)(
  '[rel:R1] [sec:S20] what a killed hub leaves is removed by another one that starts, and nothing of one that lives',
  async () => {
    const config = 'invoker: { prewarm: [] }'
    const [killed, living] = await Promise.all([startHub({ config }), startHub({ config })])
    onTestFinished(async () => {
      await Promise.all([killed.kill(), living.kill()])
      for (const { dataDir } of [killed, living]) removeDirectory(dirname(dataDir))
    })
    for (const hub of [killed, living]) {
      const api = createApi(hub.url, hub.keys.alpha)
      onTestFinished(() => api.close())
      await api.call('PUT', 'actions/works', { body: { exec: { kind: 'nodejs:20', code } } })
      expect((await api.call('POST', 'actions/works?blocking=true', { body: {} })).status).toBe(200)
    }
    const before = await remainsOf(living.dataDir)
    expect((await remainsOf(killed.dataDir)).length).toBe(before.length)
    expect(before.length).toBeGreaterThan(0)
    await killed.kill()
    const next = await startHub({ config })
    onTestFinished(async () => {
      await next.kill()
      removeDirectory(dirname(next.dataDir))
    })
    await eventually(async () => (await remainsOf(killed.dataDir)).length === 0, 30_000)
    expect(await remainsOf(living.dataDir)).toEqual(before)
  },
  60_000,
)
