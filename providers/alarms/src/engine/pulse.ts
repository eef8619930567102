/** The beat at which the scheduler is asked what is due: one for the whole process. */
import { bounds } from '@sluice/core/model'
import type { Clock, Timer } from '@sluice/core/spi'
import { createTask, type ScheduledTask } from 'node-cron'

export type Pulse = {
  /** Calls `onTick` about once a second, right after the second began. `onTick` must not throw. */
  start(onTick: () => void): void
  /** Ends it; nothing is called afterwards. May be called twice. */
  stop(): void
}

/**
 * node-cron beats each second. Its own timer waits for a wall-clock time, so that after a step back of an hour it would
 * sleep for an hour: the monotonic clock watches it and starts it again.
 */
export function createPulse(clock: Clock): Pulse {
  let task: ScheduledTask | undefined
  let watch: Timer | undefined
  let beatMs = 0

  function watchOver(beating: ScheduledTask): void {
    watch = clock.setTimer(
      bounds.alarms.pulseCheckMs,
      () => {
        if (clock.monotonicMs() - beatMs > bounds.alarms.pulseSilenceMsMax) {
          void beating.stop()
          void beating.start()
        }
        watchOver(beating)
      },
      { unref: true },
    )
  }

  return {
    start(onTick) {
      if (task) return
      const beat = () => {
        beatMs = clock.monotonicMs()
        onTick()
      }
      // A tick that came late still asks for everything due: a missed beat needs no warning and no run of its own.
      task = createTask('* * * * * *', beat, { timezone: 'UTC', suppressMissedWarning: true })
      beatMs = clock.monotonicMs()
      void task.start()
      watchOver(task)
    },
    stop() {
      watch?.cancel()
      void task?.destroy()
      task = undefined
    },
  }
}
