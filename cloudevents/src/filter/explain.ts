/** Says why an event does not pass a filter (events.md §3.5). Not on any hot path. */
import { clausesIn, type Clause, type FilterLanguage } from './clause.ts'
import type { CompiledFilter } from './compile-filter.ts'
import { compileClauseAsync, textOf } from './decide.ts'
import { Evaluation } from './evaluation.ts'
import { explainExpression } from './explain-cesql.ts'
import { explainPattern } from './explain-pattern.ts'
import { shown, type EvaluationError } from './filter-error.ts'
import { JsonataError, type JsonataEvaluator } from './jsonata/evaluator.ts'
import type { FilterSubject } from './subject.ts'
import { describeTest } from './value-test.ts'

export type FailingClause = {
  /** JSON pointer from the definition to the filter that failed: `/all/1`; `''` is the whole definition. */
  readonly path: string
  readonly language: FilterLanguage
  /** The filter as it was written: an expression, or JSON. */
  readonly text: string
  /** For people; quotes values of the event. */
  readonly reason: string
}

export type Explanation = {
  readonly matched: boolean
  /** The first filter that failed, unless the event matched. */
  readonly clause?: FailingClause
  /** What went wrong in it, if it failed for that. */
  readonly error?: EvaluationError
}

/** Decides a filter and names its first failing clause. Without `jsonata`, JSONata fails as unavailable. Never rejects. */
export async function explain(
  filter: CompiledFilter,
  subject: FilterSubject,
  jsonata: JsonataEvaluator = unavailable,
): Promise<Explanation> {
  return (await failureOf(filter.clause, subject, jsonata)) ?? { matched: true }
}

type Failure = Explanation & { readonly matched: false; readonly clause: FailingClause }

async function failureOf(
  clause: Clause,
  subject: FilterSubject,
  jsonata: JsonataEvaluator,
): Promise<Failure | undefined> {
  if (clause.kind === 'all') {
    for (const inner of clause.clauses) {
      const failure = await failureOf(inner, subject, jsonata)
      if (failure) return failure
    }
    return undefined
  }
  const evaluation = new Evaluation(subject)
  if (await compileClauseAsync(clause)(evaluation, jsonata)) return undefined
  const { error } = evaluation
  const reason = error ? `${error.kind}: ${error.message}` : await reasonOf(clause, subject, jsonata)
  return {
    matched: false,
    clause: { path: clause.at, language: clause.language, text: textOfDefinition(clause), reason },
    ...(error ? { error } : {}),
  }
}

function textOfDefinition({ definition }: Clause): string {
  return typeof definition === 'string' ? definition : JSON.stringify(definition)
}

async function reasonOf(clause: Clause, subject: FilterSubject, jsonata: JsonataEvaluator): Promise<string> {
  switch (clause.kind) {
    case 'any': {
      const reasons = await Promise.all(
        clause.clauses.slice(0, reasonsMax).map(inner => failureOf(inner, subject, jsonata)),
      )
      const texts = reasons.map(failure => failure?.clause.reason)
      return `none of ${clause.clauses.length} filters holds: ${texts.join('; ')}${clausesIn(clause).length > reasonsMax ? '; ...' : ''}`
    }
    case 'not':
      return 'the filter inside holds'
    case 'attribute': {
      const value = subject.attribute(clause.name)
      if (value === undefined) return `the event has no attribute ${clause.name}`
      return `${clause.name} is ${shown(textOf(value), valueLengthMax)}, not one that ${describeTest(clause.test)}`
    }
    case 'pattern':
      return explainPattern(clause.pattern, subject)
    case 'cesql':
      return explainExpression(clause.expression, subject)
    case 'jsonata':
      return 'the result is not true'
    case 'all':
      return ''
  }
}

const reasonsMax = 10
const valueLengthMax = 100

const unavailable: JsonataEvaluator = {
  check: () => undefined,
  evaluate: () => Promise.reject(new JsonataError('closed', 'JSONata is not available here')),
  close: () => Promise.resolve(),
}
