import type { Clock } from '@sluice/core/spi'
import type { Pulse } from './pulse.ts'
import type { Decision, Scheduler } from './scheduler.ts'

export type DriverOptions = {
  readonly clock: Clock
  readonly scheduler: Scheduler
  readonly pulse: Pulse
  /** Starts carrying the decisions out; must not throw. */
  readonly onDecisions: (decisions: readonly Decision[]) => void
}

export type Driver = {
  start(): void
  /** Asks at once, besides the pulse: after `arm` and `settle`. */
  poke(): void
  stop(): void
}

/** Asks the scheduler at every beat, slice by slice, so that thousands due at once do not hold up other work. */
export function createDriver({ clock, scheduler, pulse, onDecisions }: DriverOptions): Driver {
  let running = false
  let draining = false

  async function drain(): Promise<void> {
    if (draining) return
    draining = true
    try {
      for (let more = true; more && running;) {
        const tick = scheduler.tick()
        if (tick.decisions.length > 0) onDecisions(tick.decisions)
        more = tick.more
        if (more) await clock.sleep(0)
      }
    } finally {
      draining = false
    }
  }

  const poke = () => {
    if (running) void drain()
  }
  return {
    start() {
      running = true
      pulse.start(poke)
    },
    poke,
    stop() {
      running = false
      pulse.stop()
    },
  }
}
