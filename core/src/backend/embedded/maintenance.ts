import { bounds } from '../../model/index.ts'
import type { Clock, Logger, Timer } from '../../spi/index.ts'
import type { EmbeddedActivations } from './activations.ts'
import type { EmbeddedBus } from './bus.ts'

export type Retention = { activationMs: number; activationBytes: number }

export type Maintenance = {
  start(): void
  /** Resolves when no work is under way any more. */
  stop(): Promise<void>
  /** So far, for the metrics. */
  readonly counts: { prunedRecords: number; failures: number }
}

/** Deletes in the background what is done or too old (design.md §3.9), in small steps between which others get through. */
export function createMaintenance(
  bus: EmbeddedBus,
  activations: EmbeddedActivations,
  retention: Retention,
  clock: Clock,
  log: Logger,
): Maintenance {
  const counts = { prunedRecords: 0, failures: 0 }
  const stopped = new AbortController()
  const timers = new Set<Timer>()
  let busy: Promise<unknown> = Promise.resolve()

  async function pruneRecords(): Promise<void> {
    while (!stopped.signal.aborted) {
      const beforeMs =
        activations.bytes() > retention.activationBytes ? Infinity : clock.nowMs() - retention.activationMs
      const pruned = await activations.prune(beforeMs, bounds.store.pruneBatch)
      counts.prunedRecords += pruned
      if (pruned === 0) return
      await clock.sleep(bounds.store.prunePauseMs)
    }
  }

  function every(ms: number, work: () => Promise<void>): void {
    const timer = clock.setTimer(
      ms,
      () => {
        timers.delete(timer)
        busy = Promise.all([busy, guarded(work)])
        void busy.then(() => {
          if (!stopped.signal.aborted) every(ms, work)
        })
      },
      { unref: true },
    )
    timers.add(timer)
  }

  async function guarded(work: () => Promise<void>): Promise<void> {
    try {
      await work()
    } catch (error) {
      counts.failures++
      if (!stopped.signal.aborted) log.error({ err: error }, 'pruning failed; it will be tried again')
    }
  }

  return {
    start() {
      every(bounds.bus.pruneIntervalMs, () => bus.prune())
      every(bounds.store.pruneIntervalMs, pruneRecords)
    },
    async stop() {
      stopped.abort()
      for (const timer of timers) timer.cancel()
      timers.clear()
      await busy
    },
    counts,
  }
}
