import { randomInt } from 'node:crypto'
import { dirname } from 'node:path'
import { afterAll, beforeAll, describe, expect, it, type TestContext } from 'vitest'
import { createApi, eventually, type Answer, type Api } from '../rig/api.ts'
import { containerProcesses, processesCanBeSeen, processesNamed } from '../rig/container-processes.ts'
import { removeDirectory, startHub, type HubProcess } from '../rig/hub-process.ts'

/** Actions that misbehave: the exact error, the container gone, the next run clean, the hub untouched. */

let hub: HubProcess
let api: Api

beforeAll(async () => {
  hub = await startHub({ config: 'invoker: { prewarm: [] }' })
  api = createApi(hub.url, hub.keys.alpha)
})
afterAll(async () => {
  await api?.close()
  await hub?.kill()
  if (hub) removeDirectory(dirname(hub.dataDir))
})

/** What every action here does when it is not asked to misbehave. */
const clean = `if (!args.evil) { console.log('clean'); return { clean: true, evilRuns: (globalThis.runs = (globalThis.runs || 0) + 1) } }`

async function create(name: string, evil: string, limits: object = {}): Promise<void> {
  const code = `async function main(args) { ${clean}\n${evil} }`
  const { status, text } = await api.call('PUT', `actions/${name}?overwrite=true`, {
    body: { exec: { kind: 'nodejs:20', code }, limits },
  })
  expect(text.slice(0, 200) && status).toBe(200)
}

/** Invokes it once as evil; the record is read back, because answers of invokes carry no logs. */
async function misbehave(name: string): Promise<{ answer: Answer; record: any }> {
  const answer = await api.call('POST', `actions/${name}?blocking=true`, { body: { evil: true } })
  const record = await recordOf(answer)
  expect(record.response).toEqual(answer.body.response)
  return { answer, record }
}

async function recordOf(answer: Answer): Promise<any> {
  const { status, body } = await api.call('GET', `activations/${answer.body.activationId}`)
  expect(status).toBe(200)
  return body
}

async function expectNextRunClean(name: string): Promise<void> {
  const answer = await api.call('POST', `actions/${name}?blocking=true`, { body: {} })
  expect(answer.body.response).toMatchObject({ status: 'success', result: { clean: true } })
  expect((await recordOf(answer)).logs.map((line: string) => line.slice(31))).toEqual(['stdout: clean'])
}

/** Nothing of the action's container is left, wherever its processes went. */
async function expectContainerGone(context: TestContext): Promise<void> {
  if (!processesCanBeSeen) return context.skip('needs /proc: processes of containers cannot be seen')
  await eventually(() => Promise.resolve(containerProcesses(hub.dataDir).length === 0))
}

/** Idle containers of earlier cases would be taken for this one's. */
async function forget(name: string): Promise<void> {
  await api.call('DELETE', `actions/${name}`)
}

const developerError = (error: unknown): object => ({
  status: 'action developer error',
  success: false,
  result: { error },
})

describe('an action that', () => {
  it('[rest:85] [platform:RSP-02] [platform:LOG-09] loops for ever is ended at its time-out', async context => {
    await create('loops', 'for (;;);', { timeout: 500 })
    const { answer, record } = await misbehave('loops')
    expect(answer.status).toBe(502)
    expect(record.response).toMatchObject(developerError('The action exceeded its time limits of 500 milliseconds.'))
    expect(record.annotations).toContainEqual({ key: 'timeout', value: true })
    expect(record.duration).toBeGreaterThanOrEqual(500)
    expect(record.duration).toBeLessThan(1500)
    // It wrote nothing: the line that says so has the time of the run.
    const [line = ''] = record.logs as string[]
    expect(line.slice(31)).toBe('stderr: The action did not initialize or run as expected. Log data might be missing.')
    expect(Math.abs(Date.parse(line.slice(0, 30)) - record.end)).toBeLessThan(5000)
    await expectContainerGone(context)
    await expectNextRunClean('loops')
    await forget('loops')
  })

  it('[platform:RSP-01] loops for ever while it is loaded is ended at its time-out', async () => {
    const body = { exec: { kind: 'nodejs:20', code: 'for (;;);' }, limits: { timeout: 500 } }
    await api.call('PUT', 'actions/loads', { body })
    const answer = await api.call('POST', 'actions/loads?blocking=true', { body: {} })
    expect(answer.status).toBe(502)
    expect(answer.body.response).toMatchObject(
      developerError('The action exceeded its time limits of 500 milliseconds during initialization.'),
    )
    await forget('loads')
  })

  it('[rest:84] [platform:RSP-16] exits has not answered', async () => {
    await create('exits', `console.log('going'); process.exit(0)`)
    const { answer, record } = await misbehave('exits')
    expect(answer.status).toBe(502)
    expect(record.response).toMatchObject(
      developerError('The action did not produce a valid response and exited unexpectedly.'),
    )
    expect(record.logs[0]).toMatch(/^\S+ stdout: going$/)
    await expectNextRunClean('exits')
  })

  it('dies in a later callback takes only its own container with it', async () => {
    await create('dies', `setImmediate(() => { throw new Error('late') }); return new Promise(() => {})`)
    const { record } = await misbehave('dies')
    expect(record.response).toMatchObject(
      developerError('The action did not produce a valid response and exited unexpectedly.'),
    )
    expect(record.logs.join('\n')).toContain('Error: late')
    await expectNextRunClean('dies')
  })

  it('[platform:LOG-06] floods its log with 50 MB has its log cut, and keeps its container', async () => {
    await create(
      'floods',
      `const line = 'x'.repeat(1023); for (let n = 0; n < 50 * 1024; n++) console.log(line); return { done: true }`,
      {
        logs: 1,
      },
    )
    await expectNextRunClean('floods')
    const { record } = await misbehave('floods')
    expect(record.response).toMatchObject({ status: 'success', result: { done: true } })
    expect(record.logs.at(-1)).toMatch(
      /^\S+ stderr: Logs were truncated because the total bytes size exceeds the limit of 1048576 bytes\.$/,
    )
    const bytes = record.logs.reduce((sum: number, line: string) => sum + line.length + 1, 0)
    expect(bytes).toBeLessThan(1_048_576 + 500)
    expect(bytes).toBeGreaterThan(1_000_000)
    const next = await api.call('POST', 'actions/floods?blocking=true', { body: {} })
    // It remembers the first clean run: it is the same container.
    expect(next.body.response.result).toEqual({ clean: true, evilRuns: 2 })
    expect((await recordOf(next)).logs.map((line: string) => line.slice(31))).toEqual(['stdout: clean'])
  }, 90_000)

  it('floods its log and is ended in the middle of it leaves nothing for the next run', async () => {
    await create('floods-on', `for (;;) console.log('x'.repeat(1023))`, { logs: 1, timeout: 1000 })
    const since = performance.now()
    const { record } = await misbehave('floods-on')
    expect(record.response).toMatchObject(developerError('The action exceeded its time limits of 1000 milliseconds.'))
    expect(record.logs.length).toBeGreaterThan(100)
    // Not after what reading such a log to its end would take.
    expect(performance.now() - since).toBeLessThan(4000)
    await expectNextRunClean('floods-on')
  })

  it.each([
    ['buffers', 'const kept = []; for (;;) { kept.push(Buffer.alloc(1 << 20, 1)); await new Promise(setImmediate) }'],
    ['objects', 'const kept = []; for (;;) kept.push({ some: "object", n: [Math.random()] })'],
    ['buffers-at-once', 'const kept = []; for (;;) kept.push(Buffer.alloc(8 << 20, 1))'],
  ])('[runtime:SYS-08] allocates %s without end has exhausted its memory', async (name, evil) => {
    await create(name, evil, { memory: 128, timeout: 30_000 })
    const { answer, record } = await misbehave(name)
    expect(answer.status).toBe(502)
    expect(record.response).toMatchObject(developerError('The action exhausted its memory and was aborted.'))
    await expectNextRunClean(name)
    await forget(name)
  })

  it('[platform:RSP-13] returns 5 MB has its answer cut', async () => {
    await create('returns-much', `return { big: 'x'.repeat(5 << 20) }`)
    const { answer, record } = await misbehave('returns-much')
    expect(answer.status).toBe(502)
    expect(record.response).toMatchObject({ status: 'application error', success: false })
    const { error } = record.response.result as { error: string }
    expect(error).toMatch(
      /^The action produced a response that exceeded the allowed length: 5242890 > 1048576 bytes\. The truncated response was: \{"big":"xxx/,
    )
    expect(error.length).toBeLessThan(1_048_576 + 200)
    await expectNextRunClean('returns-much')
  })

  it.each([
    ['text', `return 'text'`, 'The action did not return a dictionary.'],
    ['a number', 'return 1', 'The action did not return a dictionary.'],
    ['itself in a circle', 'const circle = {}; circle.circle = circle; return circle', /circular structure/i],
    ['a bigint', 'return { big: 1n }', /BigInt/],
    ['what throws as JSON', `return { toJSON() { throw new Error('no JSON') } }`, /no JSON/],
  ])('returns %s has not answered with JSON', async (name, evil, error) => {
    const action = `returns-${name.split(' ').at(-1)}`
    await create(action, evil)
    const { answer, record } = await misbehave(action)
    expect(answer.status).toBe(502)
    expect(record.response.status).toBe('action developer error')
    expect(record.response.result.error).toMatch(error)
    await expectNextRunClean(action)
  })

  it('forks takes children and their children with it at its time-out, also those that left its group', async () => {
    const mark = `${randomInt(1e9, 1e10)}`
    await create(
      'forks',
      `const { spawn } = require('child_process')
       const quiet = { stdio: 'ignore', detached: true }
       spawn('sleep', ['${mark}1'], { stdio: 'ignore' })
       spawn('setsid', ['sh', '-c', 'sleep ${mark}2 & sleep ${mark}3'], quiet).unref()
       spawn('env', ['-i', 'sh', '-c', '/bin/sleep ${mark}4 & exec /bin/sleep ${mark}5'], quiet).unref()
       await new Promise(done => setTimeout(done, 200))
       console.log('forked')
       for (;;);`,
      { timeout: 2500 },
    )
    const answer = api.call('POST', 'actions/forks?blocking=true', { body: { evil: true } })
    if (processesCanBeSeen) await eventually(() => Promise.resolve(processesNamed(mark).length >= 5))
    const record = await recordOf(await answer)
    expect(record.response).toMatchObject(developerError('The action exceeded its time limits of 2500 milliseconds.'))
    expect(record.logs[0]).toMatch(/ stdout: forked$/)
    if (processesCanBeSeen) await eventually(() => Promise.resolve(processesNamed(mark).length === 0))
    await expectNextRunClean('forks')
    await forget('forks')
  })

  it('ignores SIGTERM is ended at its time-out all the same', async () => {
    await create(
      'ignores',
      `process.on('SIGTERM', () => {}); process.on('SIGHUP', () => {}); return new Promise(() => {})`,
      {
        timeout: 500,
      },
    )
    const { record } = await misbehave('ignores')
    expect(record.response).toMatchObject(developerError('The action exceeded its time limits of 500 milliseconds.'))
    await expectNextRunClean('ignores')
  })

  it('stops its own process is ended at its time-out', async () => {
    await create('stops', `process.kill(process.pid, 'SIGSTOP'); return new Promise(() => {})`, { timeout: 500 })
    const { record } = await misbehave('stops')
    expect(record.response).toMatchObject(developerError('The action exceeded its time limits of 500 milliseconds.'))
    await expectNextRunClean('stops')
  })

  it('closes its stdout loses what it prints, and nothing else', async () => {
    await create('closes', `require('fs').closeSync(1); return { closed: true }`)
    expect((await misbehave('closes')).record.response).toMatchObject({ status: 'success', result: { closed: true } })
    const answer = await api.call('POST', 'actions/closes?blocking=true', { body: {} })
    expect(answer.body.response).toMatchObject({ status: 'success', result: { clean: true } })
    expect((await recordOf(answer)).logs.at(-1)).toMatch(
      / stderr: There was an issue while collecting your logs\. Data might be missing\.$/,
    )
  })
})

describe('the hub after all that', () => {
  it('is the same process, ready, and has nothing in its books that is open', async () => {
    expect((await api.call('GET', '/readyz', { auth: null })).status).toBe(200)
    expect(await Promise.race([hub.exited, Promise.resolve('running')])).toBe('running')
    const { text } = await api.call('GET', '/metrics', { auth: null })
    expect(text).toMatch(/^sluice_activations_running 0$/m)
    expect(text).toMatch(/^sluice_pool_busy 0$/m)
  })

  it('ends every container when it is killed and started again', async context => {
    if (!processesCanBeSeen) return context.skip('needs /proc: processes of containers cannot be seen')
    await expectNextRunClean('exits')
    expect(containerProcesses(hub.dataDir).length).toBeGreaterThan(0)
    await hub.kill()
    await api.close()
    hub = await startHub({ dataDir: hub.dataDir, config: 'invoker: { prewarm: [] }' })
    api = createApi(hub.url, hub.keys.alpha)
    await eventually(() => Promise.resolve(containerProcesses(hub.dataDir).length === 0))
  })
})
