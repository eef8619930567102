import type { Clock } from '@sluice/core/spi'

/** Does `work` again and again with a pause in between; the answer stops it, after what is under way. */
export function repeatedly(
  clock: Clock,
  pauseMs: number,
  work: () => Promise<void>,
  onError: (error: unknown) => void,
): () => Promise<void> {
  let stopped = false
  let underWay = Promise.resolve()
  let timer = clock.setTimer(pauseMs, tick, { unref: true })

  function tick(): void {
    underWay = work()
      .catch(onError)
      .then(() => {
        if (!stopped) timer = clock.setTimer(pauseMs, tick, { unref: true })
      })
  }

  return () => {
    stopped = true
    timer.cancel()
    return underWay
  }
}
