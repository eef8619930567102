import { putNoop, startHub } from '../hub.mjs'
import { pause, saturate, serial } from '../load.mjs'

/** Warm blocking invokes: records durable, logs collected. */
export async function invoke({ quick }) {
  const hub = await startHub()
  try {
    await putNoop(hub)
    const call = async () => {
      const { status, text } = await hub.call('POST', 'actions/noop?blocking=true', '{}')
      if (status !== 200) throw new Error(`invoke: ${status} ${text}`)
    }
    await serial(300, call)
    const one = await serial(quick ? 500 : 3000, call)
    await saturate(50, 3, call)
    const cpuBefore = hub.cpuMs()
    const many = await saturate(50, quick ? 3 : 10, call)
    return {
      'warm invoke, serial, p50 ms': one.p(50),
      'warm invoke, serial, p99 ms': one.p(99),
      'warm invoke, 50 in flight, per s': many.perSecond,
      'warm invoke, 50 in flight, p99 ms': many.times.p(99),
      'hub CPU per run at 50 in flight, µs': ((hub.cpuMs() - cpuBefore) * 1000) / many.times.count,
    }
  } finally {
    await hub.stop()
    await pause(200)
  }
}
