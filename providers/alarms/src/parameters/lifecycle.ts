/** CREATE and UPDATE of the three feeds as pure functions: parameters in, a configuration or the text of an error out. */
import { isSluiceError } from '@sluice/core/model'
import type { AlarmConfig, CronConfig, IntervalConfig, OnceConfig, Variant } from '../config.ts'
import { dialectWarning } from '../cron/dialect-warning.ts'
import { parameterError } from '../parameter-error.ts'
import type { Parameters } from './values.ts'
import { readCronConfig, readIntervalConfig, readOnceConfig, type ReadOptions, updatable } from './variants.ts'

/** `error` is the exact text for the user (HTTP 400). */
export type Parsed<Config> =
  { readonly config: Config; readonly warnings: readonly string[] } | { readonly error: string }

/** The parameters of the feed `alarm`. */
export function parseAlarm(parameters: Parameters, options: ReadOptions): Parsed<CronConfig> {
  return parsed(() => readCronConfig(undefined, present(parameters), options))
}

/** The parameters of the feed `interval`. */
export function parseInterval(parameters: Parameters, options: ReadOptions): Parsed<IntervalConfig> {
  return parsed(() => readIntervalConfig(undefined, present(parameters), options))
}

/** The parameters of the feed `once`. */
export function parseOnce(parameters: Parameters, options: ReadOptions): Parsed<OnceConfig> {
  return parsed(() => readOnceConfig(undefined, present(parameters), options))
}

/** Which feed a call is for: the actions carry `fireOnce` or `isInterval` as a default parameter. */
export function variantOf(parameters: Parameters): Variant {
  if (isTrue(parameters.fireOnce)) return 'once'
  return isTrue(parameters.isInterval) ? 'interval' : 'cron'
}

/** CREATE of the feed that the parameters name. */
export function parseCreate(variant: Variant, parameters: Parameters, options: ReadOptions): Parsed<AlarmConfig> {
  if (variant === 'once') return parseOnce(parameters, options)
  return variant === 'interval' ? parseInterval(parameters, options) : parseAlarm(parameters, options)
}

/**
 * UPDATE is a patch: an absent parameter is unchanged, `null` goes back to the default, and the variant stays. With
 * `otherUpdates` (a parameter common to all feeds was given) nothing of ours need be there.
 */
export function parseUpdate(
  stored: AlarmConfig,
  patch: Parameters,
  options: ReadOptions & { readonly otherUpdates?: boolean },
): Parsed<AlarmConfig> {
  return parsed((): AlarmConfig => {
    const given = pick(patch, updatable[stored.variant])
    // The installed package binds trigger_payload to '', so that every UPDATE carries it.
    if (given.trigger_payload === '') delete given.trigger_payload
    if (Object.keys(given).length === 0) {
      if (options.otherUpdates) return stored
      throw parameterError('no updatable parameters were specified')
    }
    if (stored.variant === 'once') return readOnceConfig(stored, given, options)
    if (stored.variant === 'interval') return readIntervalConfig(stored, given, options)
    return readCronConfig(stored, given, options)
  })
}

function parsed<Config extends AlarmConfig>(read: () => Config): Parsed<Config> {
  try {
    const config = withoutUndefined(read())
    return { config, warnings: warningsOf(config) }
  } catch (error) {
    if (isSluiceError(error, 'SLUICE_FEED_PARAMETER')) return { error: error.message }
    throw error
  }
}

function warningsOf(config: AlarmConfig): string[] {
  const warning = config.variant === 'cron' ? dialectWarning(config.cron, config.cronDialect ?? 'standard') : undefined
  return warning === undefined ? [] : [warning]
}

/** At CREATE there is nothing to go back to: `null` is absent. */
function present(parameters: Parameters): Parameters {
  return Object.fromEntries(Object.entries(parameters).filter(([, value]) => value !== null))
}

function pick(parameters: Parameters, names: readonly string[]): Record<string, unknown> {
  return Object.fromEntries(
    Object.entries(parameters).filter(([name, value]) => names.includes(name) && value !== undefined),
  )
}

function withoutUndefined<T extends object>(value: T): T {
  return Object.fromEntries(Object.entries(value).filter(([, entry]) => entry !== undefined)) as T
}

function isTrue(value: unknown): boolean {
  return value === true || value === 'true'
}
