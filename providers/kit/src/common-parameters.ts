import { bounds } from '@sluice/core/model'
import { parameterError } from './feed-error.ts'
import type { FeedParameter, Parameters } from './feed-parameter.ts'

/** Parameters that every feed has (feeds.md §2.0), checked, with their defaults filled in. */
export type CommonParameters = {
  readonly eventFormat: 'legacy' | 'legacy+ce' | 'cloudevents'
  readonly maxAttempts: number
  /** Seconds, as the user gives it. */
  readonly maxRetryElapsed: number
}

const formats = ['legacy', 'legacy+ce', 'cloudevents'] as const

export const commonParameters: readonly FeedParameter[] = [
  {
    name: 'eventFormat',
    type: 'string',
    description: `What the actions get: ${formats.join(', ')}`,
    updatable: true,
    default: 'legacy',
  },
  {
    name: 'maxAttempts',
    type: 'number',
    description: `Attempts that fail for the event's or the hub's own reasons before it is dead-lettered, 1 to ${bounds.feeds.maxAttemptsMax}`,
    updatable: true,
    default: bounds.feeds.maxAttempts,
  },
  {
    name: 'maxRetryElapsed',
    type: 'number',
    description: 'Seconds of such attempts before it is dead-lettered',
    updatable: true,
    default: bounds.feeds.maxRetryElapsedMs / 1000,
  },
]

/** Known to the protocol, but not acted on yet: silence would promise what does not happen. */
const laterParameters = ['deadLetterTrigger', 'rateLimit', 'ceFilter', 'settle', 'settleWhen']

/** Reads the common parameters over those that were stored; null means default. Throws FeedError. */
export function readCommon(parameters: Parameters, stored?: CommonParameters): CommonParameters {
  for (const name of laterParameters) {
    const value = parameters[name]
    if (value !== undefined && value !== null && !(name === 'settle' && value === 'fired')) {
      throw parameterError(`the ${name} parameter is not supported by this version`)
    }
  }
  return {
    eventFormat: read(parameters.eventFormat, stored?.eventFormat ?? 'legacy', 'legacy', value => {
      const format = formats.find(known => known === value)
      if (!format) throw parameterError(`eventFormat parameter must be one of [${formats.join(', ')}].`)
      return format
    }),
    maxAttempts: read(
      parameters.maxAttempts,
      stored?.maxAttempts ?? bounds.feeds.maxAttempts,
      bounds.feeds.maxAttempts,
      value => integer('maxAttempts', value, 1, bounds.feeds.maxAttemptsMax),
    ),
    maxRetryElapsed: read(
      parameters.maxRetryElapsed,
      stored?.maxRetryElapsed ?? bounds.feeds.maxRetryElapsedMs / 1000,
      bounds.feeds.maxRetryElapsedMs / 1000,
      value => integer('maxRetryElapsed', value, 1, bounds.feeds.uncountedElapsedMs / 1000),
    ),
  }
}

function read<T>(value: unknown, stored: T, byDefault: T, check: (value: unknown) => T): T {
  if (value === undefined) return stored
  return value === null ? byDefault : check(value)
}

/** Numbers may come as text: command lines send them so. */
function integer(name: string, value: unknown, min: number, max: number): number {
  const number = typeof value === 'string' && value.trim() !== '' ? Number(value) : value
  if (typeof number !== 'number' || !Number.isInteger(number) || number < min || number > max) {
    throw parameterError(`the ${name} parameter must be an integer from ${min} to ${max}`)
  }
  return number
}
