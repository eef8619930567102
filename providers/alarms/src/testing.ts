import type { HarnessOptions } from '@sluice/provider-kit/contract'
import type { Pulse } from './engine/pulse.ts'
import { alarmsProvider } from './provider.ts'

/** A pulse that beats when the test says so. */
export function manualPulse(): Pulse & { beat(): void } {
  let onTick: (() => void) | undefined
  return {
    start: tick => void (onTick = tick),
    stop: () => void (onTick = undefined),
    beat: () => onTick?.(),
  }
}

/** What the harness needs to run the alarms. Each start of the provider takes over the one pulse. */
export function alarmsSetUp(options: Parameters<typeof alarmsProvider>[0] = {}): HarnessOptions {
  let pulse = manualPulse()
  return {
    definition: () => {
      pulse = manualPulse()
      return alarmsProvider({ ...options, pulse })
    },
    beat: () => pulse.beat(),
  }
}
