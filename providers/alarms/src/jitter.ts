/** Spreads schedules that would all fire at :00, the same way for the same subscription every time. */

/**
 * A number of seconds from 0 to `limit` for a name. The fold is the one of OpenWhisk's alarms, so that a trigger keeps
 * its second: the shift truncates to 32 bits, the rest is double arithmetic (feeds.md §2.1).
 */
export function delaySeconds(name: string, limit: number): number {
  let hash = 0
  for (let index = 0; index < name.length; index++) hash = (hash << 5) - hash + name.charCodeAt(index)
  return Math.abs(hash % (limit + 1))
}

/** The operator's ALARM_DELAY_LIMIT: outside 0..59 or not a number is 0, which means off. */
export function readDelayLimit(value: unknown): number {
  const limit = Number(value)
  return Number.isInteger(limit) && limit >= 0 && limit <= 59 ? limit : 0
}

/** The operator's ALARM_DELAY_DEFAULT_STRICT: only the literal `true` is true. */
export function readDefaultStrict(value: unknown): boolean {
  return value === true || value === 'true'
}
