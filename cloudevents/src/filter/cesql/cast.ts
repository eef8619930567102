/** Casts between the three types (CESQL 1.0 §3.7). A failed one is the error `cast` and gives the type's zero value. */
import type { Evaluation } from '../evaluation.ts'
import { shown } from '../filter-error.ts'
import type { CesqlType, CesqlValue } from './ast.ts'

export function toText(value: CesqlValue): string {
  return typeof value === 'string' ? value : String(value)
}

export function toInteger(value: CesqlValue, evaluation: Evaluation): number {
  if (typeof value === 'number') return value
  if (typeof value === 'boolean') return value ? 1 : 0
  const integer = value.length <= integerLengthMax && /^[+-]?[0-9]+$/.test(value) ? Number(value) : NaN
  if (integer >= -2147483648 && integer <= 2147483647) return integer === 0 ? 0 : integer
  evaluation.fail('cast', `${shown(value)} is no integer of 32 bits`)
  return 0
}

/** Leading zeros are allowed, a book full of them is not. */
const integerLengthMax = 1024

export function toBoolean(value: CesqlValue, evaluation: Evaluation): boolean {
  if (typeof value === 'boolean') return value
  if (typeof value === 'number') return value !== 0
  if (value.length <= 5) {
    const lower = value.toLowerCase()
    if (lower === 'true') return true
    if (lower === 'false') return false
  }
  evaluation.fail('cast', `${shown(value)} is no boolean`)
  return false
}

export function castLike(value: CesqlValue, example: CesqlValue, evaluation: Evaluation): CesqlValue {
  if (typeof example === 'string') return toText(value)
  return typeof example === 'number' ? toInteger(value, evaluation) : toBoolean(value, evaluation)
}

/** What an operator or function of this type gives when it cannot give more (CESQL 1.0 §3.1). */
export function zeroOf(type: CesqlType): CesqlValue {
  return type === 'integer' ? 0 : type === 'string' ? '' : false
}
