/** DATA(<json pointer>): Sluice's way from CESQL into the payload (events.md §3.2). */
import type { Evaluation } from '../evaluation.ts'
import { shown } from '../filter-error.ts'
import { memberOf } from '../pattern/member.ts'
import type { CesqlValue } from './ast.ts'

/**
 * The value at a JSON pointer (RFC 6901) in `data`: texts, booleans and integers of 32 bits as they are, other numbers as
 * text. What is missing or null is `missingAttribute`; objects, lists and pointers that are none are `functionEvaluation`.
 */
export function readPointer(pointer: string, evaluation: Evaluation): CesqlValue {
  const steps = stepsOf(pointer)
  if (steps === undefined) {
    evaluation.fail('functionEvaluation', `${shown(pointer)} is no JSON pointer`)
    return false
  }
  let value: unknown = evaluation.data()
  for (const step of steps) {
    if (typeof value !== 'object' || value === null) value = undefined
    else if (Array.isArray(value)) value = /^(0|[1-9][0-9]{0,8})$/.test(step) ? value[Number(step)] : undefined
    else value = memberOf(value, step)
    if (value === undefined) break
  }
  if (typeof value === 'string' || typeof value === 'boolean') return value
  if (typeof value === 'number') return (value | 0) === value ? value : String(value)
  if (value === undefined || value === null)
    evaluation.fail('missingAttribute', `data has no value at ${shown(pointer)}`)
  else evaluation.fail('functionEvaluation', `data has an object or a list at ${shown(pointer)}`)
  return false
}

const cache = new Map<string, readonly string[] | undefined>()
const cacheMax = 1000
const cachedLengthMax = 256

function stepsOf(pointer: string): readonly string[] | undefined {
  if (cache.has(pointer)) return cache.get(pointer)
  const steps = parsePointer(pointer)
  if (pointer.length <= cachedLengthMax) {
    if (cache.size >= cacheMax) cache.clear()
    cache.set(pointer, steps)
  }
  return steps
}

function parsePointer(pointer: string): readonly string[] | undefined {
  if (pointer === '') return []
  if (!pointer.startsWith('/') || /~(?![01])/.test(pointer)) return undefined
  return pointer
    .slice(1)
    .split('/')
    .map(step => step.replaceAll('~1', '/').replaceAll('~0', '~'))
}
