import type { AlarmConfig } from '../config.ts'

/**
 * `config` of READ beside `name` and `namespace` (feeds.md §2.1): upstream's keys for the variant, dates as they were
 * given; keys of Sluice's own only where the user set them, so that upstream's key sets hold.
 */
export function shownConfig(config: AlarmConfig, defaultStrict: boolean): Record<string, unknown> {
  const { variant: _, payload, strict = defaultStrict, ...rest } = config
  const shown = Object.entries(rest).map(([name, value]): [string, unknown] => [
    name,
    isMoment(value) ? value.given : value,
  ])
  return { payload, strict, ...Object.fromEntries(shown) }
}

function isMoment(value: unknown): value is { given: string | number } {
  return typeof value === 'object' && value !== null && 'given' in value
}
