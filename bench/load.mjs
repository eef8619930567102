/** Ways to make load, and histograms of what came of it (microseconds inside, milliseconds outside). */
import { createHistogram } from 'node:perf_hooks'

export function histogram() {
  const inside = createHistogram()
  return {
    add: ms => inside.record(Math.max(1, Math.round(ms * 1000))),
    p: percent => inside.percentile(percent) / 1000,
    get count() {
      return inside.count
    },
    get max() {
      return inside.max / 1000
    },
  }
}

/** One call after the other, for a number of calls. */
export async function serial(count, work) {
  const times = histogram()
  for (let i = 0; i < count; i++) {
    const since = performance.now()
    await work(i)
    times.add(performance.now() - since)
  }
  return times
}

/** As many calls as `inFlight` callers make in `seconds`; calls per second. */
export async function saturate(inFlight, seconds, work) {
  const times = histogram()
  const began = performance.now()
  const until = began + seconds * 1000
  let count = 0
  const caller = async () => {
    while (performance.now() < until) {
      const since = performance.now()
      await work(count++)
      times.add(performance.now() - since)
    }
  }
  await Promise.all(Array.from({ length: inFlight }, caller))
  return { perSecond: times.count / ((performance.now() - began) / 1000), times }
}

/** Open loop: each call goes out when it is due, whatever became of the others; times count from when it was due. */
export async function openLoop(perSecond, seconds, work) {
  const times = histogram()
  const underWay = new Set()
  const began = performance.now()
  const total = Math.round(perSecond * seconds)
  for (let i = 0; i < total; i++) {
    const due = began + (i * 1000) / perSecond
    const early = due - performance.now()
    if (early > 0.5) await new Promise(done => setTimeout(done, early))
    const call = work(i, due).then(() => times.add(performance.now() - due))
    underWay.add(call)
    void call.finally(() => underWay.delete(call))
  }
  await Promise.all(underWay)
  return times
}

export function median(values) {
  const sorted = [...values].sort((a, b) => a - b)
  return sorted[Math.floor(sorted.length / 2)]
}

export const pause = ms => new Promise(done => setTimeout(done, ms))
