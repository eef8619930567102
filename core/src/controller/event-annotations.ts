import { compileFilter, compileTransform, FilterError, type CompiledFilter } from '@sluice/cloudevents/filter'
import type { JsonataSyntax } from '@sluice/cloudevents/jsonata'
import { ApiError, valueOf, type Annotations, type FireRecord } from '../model/index.ts'

/** The annotations of rules and triggers that mean something to the event plane (events.md §3.1). */

export type InputForm = NonNullable<FireRecord['input']>

/** What is stored: its filter, if it has one, or what keeps it from being used. */
export type StoredFilter =
  | { readonly filter: CompiledFilter | undefined; readonly problem?: undefined }
  | { readonly filter?: undefined; readonly problem: AnnotationProblem }

/** The annotation that is at fault, and a line that says why. */
export type AnnotationProblem = { readonly annotation: string; readonly text: string }

/** Gives the rule's filter. Throws ApiError 400 that names the annotation, the place in it and what is wrong there. */
function checkRuleAnnotations(annotations: Annotations, jsonata: JsonataSyntax): CompiledFilter | undefined {
  const filter = readFilter(annotations, 'filter', jsonata)
  const transform = valueOf(annotations, 'transform')
  if (transform !== undefined) checked('transform', () => compileTransform(transform, { jsonata }))
  const input = valueOf(annotations, 'input')
  if (input !== undefined && !isInputForm(input))
    throw new MalformedAnnotation('input', "must be 'event', 'data' or 'legacy+ce'")
  return filter
}

/** Gives the filter of what the trigger accepts. Throws as `checkRuleAnnotations` does. */
function checkTriggerAnnotations(annotations: Annotations, jsonata: JsonataSyntax): CompiledFilter | undefined {
  return readFilter(annotations, 'accepts', jsonata)
}

/** What a PUT gives a rule to keep. Throws as `checkRuleAnnotations` does. */
export function takeRuleAnnotations(given: Annotations | undefined, jsonata: JsonataSyntax): Annotations | undefined {
  if (given) checkRuleAnnotations(given, jsonata)
  return given && withoutProblem(given)
}

/** The same for a trigger. */
export function takeTriggerAnnotations(
  given: Annotations | undefined,
  jsonata: JsonataSyntax,
): Annotations | undefined {
  if (given) checkTriggerAnnotations(given, jsonata)
  return given && withoutProblem(given)
}

/** As GET shows them: with what keeps the entity from being used (events.md §3.1). */
export function withProblem(annotations: Annotations, { text }: AnnotationProblem): Annotations {
  return [...withoutProblem(annotations), { key: problemKey, value: text }]
}

/** Who writes back what he has read, the mistake put right, must not keep that there was one. */
function withoutProblem(annotations: Annotations): Annotations {
  return annotations.filter(({ key }) => key !== problemKey)
}

const problemKey = 'sluice:error'

/** Of a stored rule, which may have been written by other means, or by a version that took more. Never throws. */
export function storedRuleFilter(annotations: Annotations, jsonata: JsonataSyntax): StoredFilter {
  return stored(() => checkRuleAnnotations(annotations, jsonata))
}

/** Of a stored trigger, in the same way. */
export function storedTriggerFilter(annotations: Annotations, jsonata: JsonataSyntax): StoredFilter {
  return stored(() => checkTriggerAnnotations(annotations, jsonata))
}

function stored(check: () => CompiledFilter | undefined): StoredFilter {
  try {
    return { filter: check() }
  } catch (error) {
    const annotation = error instanceof MalformedAnnotation ? error.annotation : ''
    const text = (error instanceof Error ? error.message : String(error)).replaceAll('\n', ' ')
    return { problem: { annotation, text } }
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

function readFilter(annotations: Annotations, key: string, jsonata: JsonataSyntax): CompiledFilter | undefined {
  const definition = valueOf(annotations, key)
  return definition === undefined ? undefined : checked(key, () => compileFilter(definition, { jsonata }))
}

function checked<T>(key: string, compile: () => T): T {
  try {
    return compile()
  } catch (error) {
    if (error instanceof FilterError) throw new MalformedAnnotation(key, error.message)
    throw error
  }
}

class MalformedAnnotation extends ApiError {
  readonly annotation: string
  constructor(annotation: string, reason: string) {
    super(400, `The annotation '${annotation}' was malformed:\n${reason}`)
    this.annotation = annotation
  }
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}
