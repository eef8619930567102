import type { Clock, ContainerFactory, Logger } from '../spi/index.ts'
import type { PooledContainer } from './pooled-container.ts'

export type FreezerOptions = {
  readonly factory: Pick<ContainerFactory, 'capabilities'>
  readonly clock: Clock
  readonly log: Logger
  readonly pauseGraceMs: number
  readonly idleContainerMs: number
}

/** What the freezer needs of the pool. */
export type Freezable = {
  readonly containers: () => Iterable<PooledContainer>
  /** It has been idle for long. */
  readonly discard: (pooled: PooledContainer) => void
  /** A run may have come while it could take none. */
  readonly back: (pooled: PooledContainer) => void
  readonly swept: () => void
}

export type Freezer = { start(): void; stop(): void }

const sweepMs = 1000

/** Freezes what has been idle for the grace time and discards what has been idle for long (platform.md §9). Stem cells are
 *  left alone. */
export function createFreezer({ factory, clock, log, ...times }: FreezerOptions, pool: Freezable): Freezer {
  let sweeper: { cancel(): void } | undefined

  function sweep(): void {
    const now = clock.monotonicMs()
    for (const pooled of pool.containers()) {
      const idleMs = now - pooled.lastUsedMs
      if (pooled.active > 0 || !pooled.spec) continue
      if (idleMs >= times.idleContainerMs && (pooled.state === 'ready' || pooled.state === 'suspended'))
        pool.discard(pooled)
      else if (idleMs >= times.pauseGraceMs && pooled.state === 'ready' && factory.capabilities.pause)
        void suspend(pooled)
    }
    pool.swept()
    plan()
  }

  function plan(): void {
    sweeper = clock.setTimer(sweepMs, sweep, { unref: true })
  }

  async function suspend(pooled: PooledContainer): Promise<void> {
    pooled.state = 'suspending'
    try {
      await pooled.container.suspend()
      if (pooled.state === 'suspending') pooled.state = 'suspended'
    } catch (error) {
      log.warn({ err: error, container: pooled.container.name }, 'container could not be suspended')
      if (pooled.state === 'suspending') pooled.state = 'ready'
    }
    pool.back(pooled)
  }

  return { start: plan, stop: () => sweeper?.cancel() }
}
