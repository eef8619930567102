/** Filters as a whole: from a definition to something that can be asked about events. */
import { Evaluation } from './evaluation.ts'
import { clausesIn, type Clause } from './clause.ts'
import { compileClause, compileClauseAsync, type CheckClause, type CheckClauseLater } from './decide.ts'
import type { EvaluationError, FilterPosition } from './filter-error.ts'
import { errorAt } from './filter-error.ts'
import type { JsonataEvaluator } from './jsonata/evaluator.ts'
import { parseDefinition, type DefinitionOptions } from './parse-definition.ts'
import type { FilterSubject } from './subject.ts'

/** `error` says why an event that was not matched could not be decided. */
export type Decision = { readonly matched: boolean; readonly error?: EvaluationError }

/** A filter of any language in canonical form. Immutable; keep it for as long as its definition holds. */
export type CompiledFilter = {
  readonly clause: Clause
  /** Has JSONata in it: `test` cannot decide all events, `decide` can. */
  readonly needsJsonata: boolean
  /** Reads the payload, not only attributes. */
  readonly readsData: boolean
  /** Accepted, but surely not meant: calls of functions that do not exist. */
  readonly warnings: readonly { readonly message: string; readonly position: FilterPosition }[]
  /** Decides now. Never throws; JSONata in it counts as not matching, with the error `jsonata`. */
  test(subject: FilterSubject): Decision
  /** Decides with JSONata. Never rejects. */
  decide(subject: FilterSubject, jsonata: JsonataEvaluator): Promise<Decision>
}

/**
 * Compiles a filter definition in any form of events.md §3.2: text (CESQL), `{"pattern": …}`, a dialect of the Subscriptions
 * API, `{"jsonata": …}`, or a list of them. Throws FilterError, and nothing else, with the position.
 */
export function compileFilter(definition: unknown, options: DefinitionOptions = {}): CompiledFilter {
  const clause = parseDefinition(definition, options)
  // Made at the first use: in a set of rules most are never asked on their own.
  let check: CheckClause | undefined
  let checkLater: CheckClauseLater | undefined
  const all = withInner(clause)
  return {
    clause,
    needsJsonata: all.some(({ kind }) => kind === 'jsonata'),
    readsData: all.some(readsData),
    warnings: all.flatMap(inner => warningsOf(inner, definition)),
    test(subject) {
      const evaluation = new Evaluation(subject)
      check ??= compileClause(clause)
      return decisionOf(check(evaluation), evaluation)
    },
    async decide(subject, jsonata) {
      const evaluation = new Evaluation(subject)
      checkLater ??= compileClauseAsync(clause)
      return decisionOf(await checkLater(evaluation, jsonata), evaluation)
    },
  }
}

function decisionOf(matched: boolean, { error }: Evaluation): Decision {
  return matched || error === undefined ? { matched } : { matched, error }
}

function withInner(clause: Clause): Clause[] {
  return [clause, ...clausesIn(clause).flatMap(withInner)]
}

function readsData(clause: Clause): boolean {
  if (clause.kind === 'cesql') return clause.expression.readsData
  if (clause.kind === 'pattern')
    return clause.pattern.alternatives.some(({ members }) => members.some(({ name }) => name === 'data'))
  return clause.kind === 'jsonata'
}

function warningsOf(clause: Clause, definition: unknown): CompiledFilter['warnings'] {
  if (clause.kind !== 'cesql') return []
  const { text, unknownCalls } = clause.expression
  const path = typeof definition === 'string' ? '' : `${clause.at}/${clause.language}`
  return unknownCalls.map(call => {
    const reason = `there is no function ${call.name} with ${call.arguments.length} arguments`
    const { message, position } = errorAt(text, call.start, reason, path)
    return { message, position }
  })
}
