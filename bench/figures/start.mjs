import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { startHub } from '../hub.mjs'
import { histogram, median, pause } from '../load.mjs'

/** Starts: of the hub, of containers with and without stem cells. */
export async function start({ quick }) {
  const folder = mkdtempSync(join(tmpdir(), 'sluice-bench-'))
  const dataDir = join(folder, 'data')
  try {
    await (await startHub({ dataDir })).stop()
    const starts = []
    let idleMb = 0
    for (let i = 0; i < 3; i++) {
      const hub = await startHub({ dataDir })
      starts.push(hub.readyMs)
      await pause(quick ? 1000 : 5000)
      idleMb = hub.rssMb()
      await hub.stop()
    }
    const cold = await firstRuns('invoker: { userMemoryMb: 8192, prewarm: [] }', quick ? 8 : 20)
    const prewarmed = await firstRuns(
      'invoker: { userMemoryMb: 8192, prewarm: [{ kind: "nodejs:20", memoryMb: 256, count: 2 }] }',
      quick ? 8 : 20,
    )
    return {
      'second start, ms': median(starts),
      'hub idle, MB': idleMb,
      'cold start, p50 ms': cold.p(50),
      'prewarmed start, p50 ms': prewarmed.p(50),
    }
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
}

/** First runs of fresh actions, spaced so that stem cells have been replaced; the pool has room for all of them. */
async function firstRuns(config, count) {
  const hub = await startHub({ config })
  try {
    await pause(1500)
    const times = histogram()
    for (let i = 0; i < count; i++) {
      await hub.must('PUT', `actions/fresh${i}`, { exec: { kind: 'nodejs:20', code: 'function main() { return {} }' } })
      const since = performance.now()
      await hub.must('POST', `actions/fresh${i}?blocking=true`, {})
      times.add(performance.now() - since)
      await pause(500)
    }
    return times
  } finally {
    await hub.stop()
  }
}
