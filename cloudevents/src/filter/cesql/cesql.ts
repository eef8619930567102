/** CESQL expressions as a whole: text in, value and error out. */
import { Evaluation } from '../evaluation.ts'
import type { EvaluationError } from '../filter-error.ts'
import type { FilterSubject } from '../subject.ts'
import type { Call, CesqlValue, Expression } from './ast.ts'
import { compileExpression } from './compile.ts'
import { findFunction } from './functions.ts'
import { parseCesql } from './parse.ts'
import { childrenOf } from './walk.ts'

export type CesqlOptions = {
  /** Without Sluice's additions (the function DATA). */
  readonly strict?: boolean
}

/** The value is there also beside an error: the zero value of the type (CESQL 1.0 §3.3). */
export type CesqlResult = { readonly value: CesqlValue; readonly error?: EvaluationError }

/** A compiled CESQL expression. */
export type CesqlExpression = {
  readonly text: string
  readonly root: Expression
  /** Calls of functions that do not exist: no error when compiled, but the expression can only fail there. */
  readonly unknownCalls: readonly Call[]
  readonly readsData: boolean
  evaluate(subject: FilterSubject): CesqlResult
  /** For callers that keep the evaluation: value only, the error is left in it. */
  evaluateIn(evaluation: Evaluation): CesqlValue
}

/** Throws FilterError with the place in the text when it does not parse. */
export function compileCesql(text: string, { strict = false }: CesqlOptions = {}): CesqlExpression {
  const root = parseCesql(text)
  const options = { withData: !strict }
  const evaluateIn = compileExpression(root, options)
  const calls = callsIn(root)
  return {
    text,
    root,
    unknownCalls: calls.filter(call => findFunction(call.name, call.arguments.length, !strict) === undefined),
    readsData: calls.some(call => call.name === 'DATA'),
    evaluateIn,
    evaluate(subject) {
      const evaluation = new Evaluation(subject)
      const value = evaluateIn(evaluation)
      return evaluation.error === undefined ? { value } : { value, error: evaluation.error }
    },
  }
}

function callsIn(root: Expression): Call[] {
  const calls: Call[] = []
  const open = [root]
  for (let node = open.pop(); node !== undefined; node = open.pop()) {
    if (node.kind === 'call') calls.push(node)
    open.push(...childrenOf(node))
  }
  return calls
}
