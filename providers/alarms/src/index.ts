export { alarmEvent, type AlarmEvent, type AlarmOrigin } from './alarm-event.ts'
export type * from './config.ts'
export { parseSchedule, type Schedule } from './cron/calendar.ts'
export { dialectWarning } from './cron/dialect-warning.ts'
export { createDriver, type Driver } from './engine/driver.ts'
export { createPulse, type Pulse } from './engine/pulse.ts'
export * from './engine/ledger.ts'
export { Scheduler, type Decision, type Settlement, type Subscription } from './engine/scheduler.ts'
export { readDefaultStrict, readDelayLimit } from './jitter.ts'
export {
  parseAlarm,
  parseCreate,
  parseInterval,
  parseOnce,
  parseUpdate,
  type Parsed,
  variantOf,
} from './parameters/lifecycle.ts'
export { shownConfig } from './parameters/read-config.ts'
export { type ReadOptions, updatable } from './parameters/variants.ts'
export { toSubscription } from './subscription.ts'
export { alarmsPackage } from './package.ts'
export { alarmsProvider } from './provider.ts'
