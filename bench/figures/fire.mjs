import { startHub } from '../hub.mjs'
import { histogram, openLoop, pause, saturate } from '../load.mjs'

/** The action tells when its first line ran; the clocks of both processes are the machine's. */
const code = 'function main() { return { at: performance.timeOrigin + performance.now() } }'

export async function fire({ quick }) {
  const hub = await startHub()
  try {
    await hub.must('PUT', 'actions/clock', { exec: { kind: 'nodejs:default', code } })
    await hub.must('PUT', 'triggers/t', {})
    await hub.must('PUT', 'rules/r', { trigger: '/_/t', action: '/_/clock' })
    const ids = new Map()
    const send = async (_, due) => {
      const { status, text } = await hub.call('POST', 'triggers/t', '{"a":1}')
      if (status !== 202) throw new Error(`fire: ${status} ${text}`)
      if (due !== undefined) ids.set(JSON.parse(text).activationId, performance.timeOrigin + due)
    }
    await saturate(8, 2, send)
    await settled(hub)
    await openLoop(100, quick ? 3 : 20, send)
    await settled(hub)
    const started = histogram()
    for (const [fireId, due] of ids) {
      const { runs } = await hub.must('GET', `activations/${fireId}/settlement?waitMs=10000`)
      const { result } = await hub.must('GET', `activations/${runs[0].activationId}/result`)
      started.add(result.at - due)
    }
    const seconds = quick ? 3 : 10
    const before = await runsSettled(hub)
    const accepted = await saturate(64, seconds, send)
    const during = await runsSettled(hub)
    await settled(hub)
    return {
      'fire to action started at 100/s, p50 ms': started.p(50),
      'fire to action started at 100/s, p99 ms': started.p(99),
      'durable fires accepted at saturation, per s': accepted.perSecond,
      'actions run meanwhile, per s': (during - before) / seconds,
      'actions run after the fires, working off, per s': await workOff(hub, send),
    }
  } finally {
    await hub.stop()
    await pause(200)
  }
}

/** Fills a backlog, then times how fast it is worked off with nothing else to do. */
async function workOff(hub, send) {
  await saturate(64, 3, send)
  const from = await runsSettled(hub)
  const since = performance.now()
  await settled(hub)
  return ((await runsSettled(hub)) - from) / ((performance.now() - since) / 1000)
}

async function metric(hub, name) {
  const { text } = await hub.call('GET', '/metrics')
  return text
    .split('\n')
    .filter(line => line.startsWith(name))
    .reduce((sum, line) => sum + Number(line.split(' ').at(-1)), 0)
}

async function runsSettled(hub) {
  return metric(hub, 'sluice_activations_settled_total{origin="rule"')
}

/** Waits until every accepted run has its record. */
async function settled(hub) {
  for (;;) {
    const accepted = await metric(hub, 'sluice_rule_runs_accepted_total')
    if ((await runsSettled(hub)) >= accepted) return
    await pause(50)
  }
}
