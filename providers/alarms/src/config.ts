/** What a subscription of the alarms provider is: parameters that were checked, ready to be stored as JSON. */
import type { Dialect, Dst } from './cron/calendar.ts'
import type { Moment } from './dates.ts'

export type CatchUp = 'none' | 'latest' | 'all'
export type DeleteAfterFire = 'false' | 'true' | 'rules'

/** Only what was given is kept; `rulesOf` knows the defaults, so that a reset is the removal of a key. */
type SharedConfig = {
  readonly payload: Readonly<Record<string, unknown>>
  readonly strict?: boolean
  /** Successful fires after which the subscription ends; none or -1 is no limit. */
  readonly maxTriggers?: number
  readonly catchUp?: CatchUp
  /** Seconds, as the parameters of the same names. */
  readonly catchUpWindow?: number
  readonly catchUpMax?: number
  readonly misfireGrace?: number
  readonly jitter?: number
  /** `YYYY-MM-DD` in the time zone. */
  readonly exclusionDates?: readonly string[]
}

export type CronConfig = SharedConfig & {
  readonly variant: 'cron'
  readonly cron: string
  /** None is UTC. */
  readonly timezone?: string
  readonly startDate?: Moment
  readonly stopDate?: Moment
  readonly cronDialect?: Dialect
  readonly dst?: Dst
}

export type IntervalConfig = SharedConfig & {
  readonly variant: 'interval'
  readonly minutes: number
  readonly startDate: Moment
  readonly stopDate?: Moment
}

export type OnceConfig = SharedConfig & {
  readonly variant: 'once'
  readonly date: Moment
  readonly deleteAfterFire: DeleteAfterFire
  readonly onceGrace?: number
}

export type AlarmConfig = CronConfig | IntervalConfig | OnceConfig
export type Variant = AlarmConfig['variant']

/** What the operator decides for all subscriptions (feeds.md §2.0, environment). */
export type OperatorOptions = {
  /** ALARM_DELAY_LIMIT, 0 (off) to 59 seconds. */
  readonly alarmDelayLimit: number
  /** ALARM_DELAY_DEFAULT_STRICT. */
  readonly defaultStrict: boolean
}

/** How missed instants are made up; all times in milliseconds. */
export type CatchUpRules = {
  readonly catchUp: CatchUp
  readonly windowMs: number
  readonly max: number
  readonly graceMs: number
}

/** A `once` is fired late within `onceGrace` and not at all beyond: one instant needs no other rule. */
export function rulesOf(config: AlarmConfig): CatchUpRules {
  if (config.variant === 'once') {
    return { catchUp: 'none', windowMs: 0, max: 1, graceMs: (config.onceGrace ?? 86_400) * 1000 }
  }
  return {
    catchUp: config.catchUp ?? 'latest',
    windowMs: (config.catchUpWindow ?? 3600) * 1000,
    max: config.catchUpMax ?? 100,
    graceMs: (config.misfireGrace ?? 60) * 1000,
  }
}

/** The openwhisk dialect is the old library's, which skipped gaps and fired twice in overlaps; unless told otherwise. */
export function dstOf(config: CronConfig): Dst {
  return config.dst ?? (config.cronDialect === 'openwhisk' ? 'legacy' : 'wallclock')
}
