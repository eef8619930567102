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
  let asked = false

  async function drain(): Promise<void> {
    draining = true
    try {
      while (asked && running) {
        const { decisions, more } = scheduler.tick()
        asked = more
        // Carrying decisions out may settle and poke within the call: that asks again.
        if (decisions.length > 0) onDecisions(decisions)
        if (asked) await clock.sleep(0)
      }
    } finally {
      draining = false
    }
  }

  const poke = () => {
    asked = true
    if (running && !draining) void drain()
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
