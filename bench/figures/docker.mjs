import { execFileSync } from 'node:child_process'
import { readFileSync, readdirSync } from 'node:fs'
import { putNoop, startHub } from '../hub.mjs'
import { histogram, pause, saturate, serial } from '../load.mjs'
import { proxyOverhead } from './docker-proxy.mjs'

/** What containers of an engine cost: the same calls as in the other groups, with `--containers docker`. */
export async function docker({ quick }) {
  const calls = quick ? 300 : 2000
  return {
    ...(await warm(calls, quick ? 3 : 10)),
    ...(await shared(quick ? 3 : 10)),
    ...(await proxyOverhead(calls)),
    ...(await starts(quick ? 5 : 15)),
    ...(await payloads(quick ? 5 : 20)),
    ...(await roundRobin(quick)),
  }
}

const args = ['--no-samples', '--containers', 'docker']
const python = { exec: { kind: 'python:3.11', code: 'def main(args):\n    return {}\n' } }
const node = { exec: { kind: 'nodejs:20', code: 'function main() { return {} }' } }

/** Calls the action once and fails loudly: a figure of error answers would be none. */
function caller(hub, name, body = '{}') {
  return async () => {
    const { status, text } = await hub.call('POST', `actions/${name}?blocking=true`, body)
    if (status !== 200) throw new Error(`${name}: ${status} ${text.slice(0, 300)}`)
    return text
  }
}

async function warm(calls, seconds) {
  const hub = await startHub({ args })
  try {
    await putNoop(hub)
    await hub.must('PUT', 'actions/py', python)
    await serial(300, caller(hub, 'noop'))
    const one = await serial(calls, caller(hub, 'noop'))
    await serial(300, caller(hub, 'py'))
    const py = await serial(calls, caller(hub, 'py'))
    const proxyMb = proxyRssMb()
    await saturate(50, 3, caller(hub, 'noop'))
    const many = await saturate(50, seconds, caller(hub, 'noop'))
    return {
      'Docker, Node, warm, serial, p50 ms': one.p(50),
      'Docker, Node, warm, serial, p99 ms': one.p(99),
      'Docker, Python, warm, serial, p50 ms': py.p(50),
      'Docker, Python, warm, serial, p99 ms': py.p(99),
      'Docker, proxy memory, MB': proxyMb,
      'Docker, Node, 50 in flight, per s': many.perSecond,
    }
  } finally {
    await hub.stop()
  }
}

/** Resident memory of the largest proxy that runs in a container now. */
function proxyRssMb() {
  let most = NaN
  for (const pid of readdirSync('/proc').filter(name => /^\d+$/.test(name))) {
    try {
      const status = readFileSync(`/proc/${pid}/status`, 'utf8')
      if (!/^Name:\s+proxy$/m.test(status)) continue
      const mb = Number(/VmRSS:\s+(\d+) kB/.exec(status)[1]) / 1024
      if (!(mb <= most)) most = mb
    } catch {
      // Gone meanwhile.
    }
  }
  return most
}

/** 50 runs at once in one container. */
async function shared(seconds) {
  const hub = await startHub({ args, config: 'limits: { actions: { concurrencyMax: 50 } }' })
  try {
    await hub.must('PUT', 'actions/shared', { ...node, limits: { concurrency: 50 } })
    await serial(50, caller(hub, 'shared'))
    await saturate(50, 3, caller(hub, 'shared'))
    const many = await saturate(50, seconds, caller(hub, 'shared'))
    return { 'Docker, Node, 50 in one container, per s': many.perSecond }
  } finally {
    await hub.stop()
  }
}

/** First runs of fresh actions, and the first answer of a suspended container. */
async function starts(count) {
  const cold = await firstRuns('prewarm: []', count)
  const cells = 'prewarm: [{ kind: "nodejs:20", memoryMb: 256, count: 2 }]'
  const prewarmed = await firstRuns(cells, count)
  const open = await firstRuns(cells, Math.min(count, 8), 'containers: { docker: { egress: open } }')
  const byAddress = await firstRuns(cells, Math.min(count, 8), 'containers: { docker: { transport: address } }')
  const hub = await startHub({ args, config: 'invoker: { pauseGraceMs: 200, prewarm: [] }' })
  try {
    await hub.must('PUT', 'actions/paused', node)
    await caller(hub, 'paused')()
    const resumed = histogram()
    for (let i = 0; i < count; i++) {
      await pause(2500)
      const since = performance.now()
      await caller(hub, 'paused')()
      resumed.add(performance.now() - since)
    }
    return {
      'Docker, cold start, p50 ms': cold.p(50),
      'Docker, prewarmed start, p50 ms': prewarmed.p(50),
      'Docker, prewarmed start, egress open, p50 ms': open.p(50),
      'Docker, prewarmed start, by address, p50 ms': byAddress.p(50),
      'Docker, suspended container to answer, p50 ms': resumed.p(50),
    }
  } finally {
    await hub.stop()
  }
}

async function firstRuns(prewarm, count, more = '') {
  const hub = await startHub({ args, config: `invoker: { userMemoryMb: 8192, ${prewarm} }\n${more}` })
  try {
    await pause(3000)
    const times = histogram()
    for (let i = 0; i < count; i++) {
      await hub.must('PUT', `actions/fresh${i}`, node)
      const since = performance.now()
      await caller(hub, `fresh${i}`)()
      times.add(performance.now() - since)
      await pause(1200)
    }
    return times
  } finally {
    await hub.stop()
  }
}

/** 1 MB in and out, and 10 MB of log (as the limit counts: each line with its time), of which no line may be missing. */
async function payloads(count) {
  const hub = await startHub({ args })
  try {
    await hub.must('PUT', 'actions/echo', { exec: { kind: 'nodejs:20', code: 'function main(a) { return a }' } })
    const flood = "function main() { for (let i = 0; i < 70000; i++) console.log('x'.repeat(99)) }"
    await hub.must('PUT', 'actions/flood', { exec: { kind: 'nodejs:20', code: flood }, limits: { logs: 10 } })
    const body = JSON.stringify({ text: 'x'.repeat(1_000_000) })
    await serial(5, caller(hub, 'echo', body))
    const large = await serial(count, caller(hub, 'echo', body))
    await caller(hub, 'flood')()
    const since = performance.now()
    const record = JSON.parse(await caller(hub, 'flood')())
    const logMs = performance.now() - since
    const { logs } = await hub.must('GET', `activations/${record.activationId}/logs`)
    return {
      'Docker, 1 MB in and out, p50 ms': large.p(50),
      'Docker, 10 MB of log, ms': logMs,
      'Docker, lines of it that are missing': 70_000 - logs.filter(line => line.includes('stdout: xxx')).length,
    }
  } finally {
    await hub.stop()
  }
}

/**
 * Calls of 100 actions in turn, over a pool that holds 20: a backlog of them, against one caller who waits for each
 * answer and so finds every container evicted.
 */
async function roundRobin(quick) {
  const hub = await startHub({ args, config: 'invoker: { userMemoryMb: 2560, prewarm: [] }' })
  try {
    const actions = 100
    for (let i = 0; i < actions; i++) await hub.must('PUT', `actions/a${i}`, { ...node, limits: { memory: 128 } })
    const evicting = await saturate(1, quick ? 10 : 20, i => caller(hub, `a${i % actions}`)())
    const before = await settled(hub)
    const count = quick ? 200 : 2000
    const since = performance.now()
    for (let i = 0; i < count; i += 50) {
      await Promise.all(Array.from({ length: 50 }, (_, j) => hub.must('POST', `actions/a${(i + j) % actions}`, {})))
    }
    while ((await settled(hub)) < before + count) await pause(100)
    const perSecond = count / ((performance.now() - since) / 1000)
    return {
      'Docker, 100 actions over 20 places, per s': perSecond,
      'Docker, the same with an eviction for each call, per s': evicting.perSecond,
      'Docker, ratio of the two': perSecond / evicting.perSecond,
    }
  } finally {
    await hub.stop()
  }
}

async function settled(hub) {
  const { text } = await hub.call('GET', '/metrics')
  return text
    .split('\n')
    .filter(line => line.startsWith('sluice_activations_settled_total{origin="direct"'))
    .reduce((sum, line) => sum + Number(line.split(' ').at(-1)), 0)
}

/** Whether an engine answers; without one there is nothing to measure. */
export function engineAnswers() {
  try {
    execFileSync('docker', ['version'], { stdio: 'ignore', timeout: 5000 })
    return true
  } catch {
    return false
  }
}
