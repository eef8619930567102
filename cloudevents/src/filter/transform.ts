/** Transforms (events.md §3.3): JSONata whose result, an object, takes the place of an action's input. */
import { errorAt, FilterError, shown } from './filter-error.ts'
import { JsonataError, type JsonataEvaluator, type JsonataSyntax } from './jsonata/evaluator.ts'
import type { FilterSubject } from './subject.ts'

export type CompiledTransform = {
  readonly expression: string
  /** The input for the action. Rejects with JsonataError only, whose message is for the developer. */
  apply(subject: FilterSubject, jsonata: JsonataEvaluator): Promise<Record<string, unknown>>
}

/** Compiles `{"jsonata": "<expression>"}`. Throws FilterError with the position, and nothing else. */
export function compileTransform(definition: unknown, { jsonata }: { jsonata: JsonataSyntax }): CompiledTransform {
  const expression = expressionOf(definition)
  const problem = jsonata.check(expression)
  if (problem !== undefined) throw errorAt(expression, problem.offset, problem.message, '/jsonata')
  return {
    expression,
    async apply(subject, evaluator) {
      const result = await evaluator.evaluate(expression, inputOf(subject))
      if (typeof result === 'object' && result !== null && !Array.isArray(result))
        return result as Record<string, unknown>
      throw new JsonataError('expression', `the transform must give an object, not ${shown(result)}`)
    },
  }
}

function expressionOf(definition: unknown): string {
  if (typeof definition !== 'object' || definition === null || Array.isArray(definition))
    throw new FilterError('a transform must be an object such as {"jsonata": "data"}', { path: '' })
  const [member, ...more] = Object.entries(definition)
  if (member === undefined || more.length > 0 || member[0] !== 'jsonata' || typeof member[1] !== 'string')
    throw new FilterError('a transform must have the key "jsonata" with a text, and no other', { path: '' })
  return member[1]
}

function inputOf(subject: FilterSubject): unknown {
  try {
    return subject.toObject()
  } catch {
    // Without a cause: readers of bad JSON quote it.
    throw new JsonataError('expression', 'data is not what its content type says')
  }
}
