import type { AlarmConfig, OperatorOptions } from './config.ts'
import type { Subscription } from './engine/scheduler.ts'
import { delaySeconds } from './jitter.ts'
import { createTimetable } from './timetable.ts'

/** A stored configuration as the scheduler takes it. The jitter follows from the id: the same after every restart. */
export function toSubscription(
  id: string,
  generation: number,
  config: AlarmConfig,
  triggerName: string,
  options: OperatorOptions,
): Subscription {
  const jitterMs = config.jitter ? delaySeconds(id, config.jitter) * 1000 : 0
  return { id, generation, config, timetable: createTimetable(config, triggerName, options), jitterMs }
}
