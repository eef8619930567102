import {
  ApiError,
  ExactNumber,
  actionRanges,
  shownConcurrency,
  type ActionLimits,
  type NamespaceLimits,
  type Range,
  type SystemLimits,
} from '../model/index.ts'
import { absent } from './entity-body.ts'
import { isObject, malformed } from './json-body.ts'

/** `limits` of an action (rest-api.md §4.5). */
export type LimitsBody = { readonly [Name in keyof ActionLimits]?: number }

const fields = [
  { name: 'timeout', word: 'time limit' },
  { name: 'memory', word: 'memory limit' },
  { name: 'logs', word: 'log limit' },
  { name: 'concurrency', word: 'intra concurrency limit', notNumber: 'concurrency limit' },
  { name: 'instances', word: 'instance concurrency limit' },
] as const

/** Throws 400 with the malformed prefix. */
export function parseLimits(value: unknown): LimitsBody {
  if (absent(value)) return {}
  if (!isObject(value)) throw malformed("Object expected in field 'timeout'")
  const limits: Record<string, number> = {}
  for (const field of fields) {
    const given = value[field.name]
    if (absent(given)) continue
    const number = given instanceof ExactNumber ? given.valueOf() : given
    if (typeof number !== 'number') throw malformed(`${'notNumber' in field ? field.notNumber : field.word} malformed`)
    if (!Number.isInteger(number)) throw malformed(`requirement failed: ${field.word} must be whole number`)
    if (number < 0 && (field.name === 'memory' || field.name === 'logs')) {
      throw malformed('requirement failed: a negative size of an object is not allowed.')
    }
    limits[field.name] = number
  }
  return limits
}

/** Throws the range errors, which have no prefix. */
export function checkLimits(limits: LimitsBody, own: NamespaceLimits, system: SystemLimits): void {
  const ranges = actionRanges(own, system)
  checkRange(limits.memory, ranges.memory, 'memory size', ' MB')
  checkRange(limits.timeout, ranges.timeout, 'duration', ' milliseconds')
  checkRange(limits.logs, ranges.logs, 'log size', ' MB')
  checkRange(limits.concurrency, ranges.concurrency, 'concurrency', '')
  const concurrency = shownConcurrency(own, system)
  if (limits.instances !== undefined && limits.instances > concurrency) {
    throw new ApiError(
      400,
      `Max action instance concurrency must not exceed your namespace concurrency of ${concurrency}.`,
    )
  }
}

function checkRange(value: number | undefined, { min, max }: Range, what: string, unit: string): void {
  if (value === undefined || (value >= min && value <= max)) return
  const relation = value > max ? `exceeds allowed threshold of ${max}` : `below allowed threshold of ${min}`
  throw new ApiError(400, `requirement failed: ${what} ${value}${unit} ${relation}${unit}`)
}

/** Given ones, else those of `base`, else the defaults. */
export function completeLimits(given: LimitsBody, base: ActionLimits | undefined, system: SystemLimits): ActionLimits {
  const defaults: ActionLimits = base ?? {
    timeout: system.actions.timeoutMsDefault,
    memory: system.actions.memoryMbDefault,
    logs: system.actions.logsMbDefault,
    concurrency: system.actions.concurrencyDefault,
  }
  return { ...defaults, ...given }
}
