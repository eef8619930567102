import { startHub } from '../hub.mjs'
import { pause, saturate } from '../load.mjs'

/** Many armed alarms, due all over the minute. */
export async function alarms({ quick }) {
  const total = quick ? 500 : 5000
  const hub = await startHub({ config: 'invoker: { userMemoryMb: 1024 }' })
  try {
    const trigger = i => `alarm-${i}`
    let next = 0
    await hub.must('PUT', 'triggers/first', {})
    await arm(hub, 'first', '0 0 1 1 *')
    // The heap of a hub that has worked: what is more afterwards is what alarms keep.
    await saturate(8, quick ? 2 : 10, () => hub.must('POST', 'triggers/first', {}))
    await pause(5000)
    const beforeMb = hub.rssMb()
    await saturate(8, 3600, async () => {
      const i = next++
      if (i >= total) throw done
      await hub.must('PUT', `triggers/${trigger(i)}`, {})
      await arm(hub, trigger(i), `${i % 60} * * * * *`)
    }).catch(error => {
      if (error !== done) throw error
    })
    await pause(quick ? 65_000 : 125_000)
    const { text } = await hub.call('GET', '/providers/alarms/metrics')
    return {
      'armed alarms': total,
      'memory more with them, MB': hub.rssMb() - beforeMb,
      'lateness (due to request written), p99 at most ms': quantile(text, 'sluice_schedule_delay_seconds', 0.99) * 1000,
    }
  } finally {
    await hub.stop()
  }
}

const done = new Error('all are armed')

async function arm(hub, triggerName, cron) {
  await hub.must('POST', '/api/v1/namespaces/whisk.system/actions/alarms/alarm?blocking=true', {
    lifecycleEvent: 'CREATE',
    triggerName: `/_/${triggerName}`,
    authKey: hub.key,
    cron,
    trigger_payload: {},
  })
}

/** Upper bound of the bucket that holds the quantile, in seconds. */
function quantile(text, name, share) {
  const buckets = [...text.matchAll(new RegExp(`^${name}_bucket\\{[^}]*le="([^"]+)"[^}]*\\} (\\d+)`, 'gm'))].map(
    ([, le, count]) => ({ le: le === '+Inf' ? Infinity : Number(le), count: Number(count) }),
  )
  const total = Math.max(0, ...buckets.map(({ count }) => count))
  return buckets.sort((a, b) => a.le - b.le).find(({ count }) => count >= total * share)?.le ?? NaN
}
