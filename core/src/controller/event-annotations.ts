import { compileFilter, compileTransform, FilterError } from '@sluice/cloudevents/filter'
import type { JsonataSyntax } from '@sluice/cloudevents/jsonata'
import { ApiError, valueOf, type Annotations, type FireRecord } from '../model/index.ts'

/** The annotations of rules and triggers that mean something to the event plane (events.md §3.1). */

export type InputForm = NonNullable<FireRecord['input']>

/** Throws ApiError 400 that names the annotation, the place in it and what is wrong there. */
export function checkRuleAnnotations(annotations: Annotations, jsonata: JsonataSyntax): void {
  checkFilter(annotations, 'filter', jsonata)
  const transform = valueOf(annotations, 'transform')
  if (transform !== undefined) checked('transform', () => compileTransform(transform, { jsonata }))
  const input = valueOf(annotations, 'input')
  if (input !== undefined && !isInputForm(input)) throw refused('input', "must be 'event', 'data' or 'legacy+ce'")
}

export function checkTriggerAnnotations(annotations: Annotations, jsonata: JsonataSyntax): void {
  checkFilter(annotations, 'accepts', jsonata)
}

/** What keeps a stored rule from running: it was written by other means, or by a version that took more. */
export function problemOfRule(annotations: Annotations, jsonata: JsonataSyntax): string | undefined {
  return problemOf(() => checkRuleAnnotations(annotations, jsonata))
}

/** What keeps a stored trigger from accepting events. */
export function problemOfTrigger(annotations: Annotations, jsonata: JsonataSyntax): string | undefined {
  return problemOf(() => checkTriggerAnnotations(annotations, jsonata))
}

function problemOf(check: () => void): string | undefined {
  try {
    check()
    return undefined
  } catch (error) {
    return (error instanceof Error ? error.message : String(error)).replaceAll('\n', ' ')
  }
}

export function isInputForm(value: unknown): value is InputForm {
  return value === 'event' || value === 'data' || value === 'legacy+ce'
}

/** The expression of a stored transform; nothing when it is none. */
export function transformOf(annotations: Annotations | undefined): string | undefined {
  const value = annotations && valueOf(annotations, 'transform')
  return isObject(value) && typeof value['jsonata'] === 'string' ? value['jsonata'] : undefined
}

export function inputFormOf(annotations: Annotations | undefined): InputForm | undefined {
  const value = annotations && valueOf(annotations, 'input')
  return isInputForm(value) ? value : undefined
}

function checkFilter(annotations: Annotations, key: string, jsonata: JsonataSyntax): void {
  const definition = valueOf(annotations, key)
  if (definition !== undefined) checked(key, () => compileFilter(definition, { jsonata }))
}

function checked(key: string, compile: () => unknown): void {
  try {
    compile()
  } catch (error) {
    if (error instanceof FilterError) throw refused(key, error.message)
    throw error
  }
}

function refused(key: string, reason: string): ApiError {
  return new ApiError(400, `The annotation '${key}' was malformed:\n${reason}`)
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}
