/** Readers of single parameters that throw SLUICE_FEED_PARAMETER with the text for the user. */
import { bounds } from '@sluice/core/model'
import type { DeleteAfterFire } from '../config.ts'
import { parameterError } from '../parameter-error.ts'

export type Parameters = Readonly<Record<string, unknown>>

/** UPDATE is a patch: an absent parameter keeps the stored value, `null` goes back to the default, else it is read. */
export function patched<T>(stored: T | undefined, value: unknown, read: (value: unknown) => T): T | undefined {
  if (value === undefined) return stored
  return value === null ? undefined : read(value)
}

/** Strings and values that are no object are wrapped: a fire's body must be an object. */
export function readPayload(value: unknown): Record<string, unknown> {
  if (value === undefined || value === null) return {}
  if (typeof value === 'object' && !Array.isArray(value)) return value as Record<string, unknown>
  return { payload: value }
}

/** A boolean or the word in any case; anything else is false, as upstream. */
export function readStrict(value: unknown): boolean {
  return String(value).trim().toLowerCase() === 'true'
}

export function readMinutes(value: unknown): number {
  if (!value) throw parameterError('interval trigger feed is missing the minutes parameter')
  const minutes = typeof value === 'number' || typeof value === 'string' ? Number(value) : NaN
  if (!Number.isSafeInteger(minutes * 60_000) || !Number.isInteger(minutes)) {
    throw parameterError('the minutes parameter must be an integer')
  }
  if (minutes <= 0) throw parameterError('the minutes parameter must be an integer greater than zero')
  return minutes
}

export function readDeleteAfterFire(value: unknown): DeleteAfterFire {
  return readWord('deleteAfterFire', value, ['false', 'true', 'rules'])
}

export function readWord<Word extends string>(name: string, value: unknown, words: readonly Word[]): Word {
  const given = String(value).trim().toLowerCase()
  const word = words.find(known => known === given)
  if (word === undefined) throw parameterError(`${name} parameter must be one of [${words.join(', ')}].`)
  return word
}

/** An integer, also as digits in a string. */
export function readInteger(name: string, value: unknown, low: number, high: number): number {
  const number = typeof value === 'number' || (typeof value === 'string' && value.trim() !== '') ? Number(value) : NaN
  if (!Number.isInteger(number) || number < low || number > high) {
    throw parameterError(`${name} parameter must be an integer from ${low} to ${high}`)
  }
  return number
}

/** -1 (no limit) is kept out of the configuration. */
export function readMaxTriggers(value: unknown): number | undefined {
  const count = readInteger('maxTriggers', value, -1, Number.MAX_SAFE_INTEGER)
  return count < 0 ? undefined : count
}

export const readCatchUpWindow = (value: unknown) =>
  readInteger('catchUpWindow', value, 0, bounds.alarms.catchUpWindowSecondsMax)
export const readCatchUpMax = (value: unknown) => readInteger('catchUpMax', value, 1, bounds.alarms.catchUpMaxMax)
export const readMisfireGrace = (value: unknown) =>
  readInteger('misfireGrace', value, 0, bounds.alarms.catchUpWindowSecondsMax)
export const readOnceGrace = (value: unknown) => readInteger('onceGrace', value, 0, bounds.alarms.onceGraceSecondsMax)
export const readJitter = (value: unknown) => readInteger('jitter', value, 0, bounds.alarms.jitterSecondsMax)
