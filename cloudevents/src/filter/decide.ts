/** Decides a clause for an event, at once or, where JSONata is in it, later. */
import type { Clause } from './clause.ts'
import type { Evaluation } from './evaluation.ts'
import { isTruthy, JsonataError, type JsonataEvaluator } from './jsonata/evaluator.ts'
import { compilePatternCheck } from './pattern/match-pattern.ts'
import { compileTest } from './value-test.ts'

/** Leaves the first error of a clause that failed in the evaluation; an error inside of `not` or `any` decides nothing. */
export type CheckClause = (evaluation: Evaluation) => boolean
export type CheckClauseLater = (evaluation: Evaluation, jsonata: JsonataEvaluator) => Promise<boolean>

/** Never throws. */
export function compileClause(clause: Clause): CheckClause {
  switch (clause.kind) {
    case 'all': {
      const checks = clause.clauses.map(compileClause)
      const [first, second] = checks
      if (first && second && checks.length === 2) return evaluation => first(evaluation) && second(evaluation)
      return evaluation => checks.every(check => check(evaluation))
    }
    case 'any': {
      const checks = clause.clauses.map(compileClause)
      return evaluation => checks.some(check => check(evaluation))
    }
    case 'not': {
      const check = compileClause(clause.clause)
      return evaluation => !check(evaluation)
    }
    case 'attribute': {
      const { name } = clause
      const check = compileTest(clause.test)
      return evaluation => {
        const value = evaluation.subject.attribute(name)
        return value !== undefined && check(textOf(value), evaluation)
      }
    }
    case 'pattern':
      return guarded(compilePatternCheck(clause.pattern))
    case 'cesql': {
      const { expression } = clause
      return guarded(evaluation => expression.evaluateIn(evaluation) === true)
    }
    case 'jsonata':
      return evaluation => {
        evaluation.fail('jsonata', 'JSONata cannot be decided here')
        return false
      }
  }
}

/** An attribute as text: integers and booleans as CloudEvents writes them. */
export function textOf(value: unknown): string {
  return typeof value === 'string'
    ? value
    : typeof value === 'number' || typeof value === 'boolean'
      ? String(value)
      : ''
}

/** A clause in which an error may occur: the error is its own, then it fails. */
function guarded(check: CheckClause): CheckClause {
  return evaluation => {
    const before = evaluation.error
    evaluation.error = undefined
    let passed = false
    try {
      passed = check(evaluation) && evaluation.error === undefined
    } catch {
      // Nesting beyond the stack, in an event that no JSON parser of ours let in.
      evaluation.fail('generic', 'the event is nested too deep')
    }
    evaluation.error = before ?? evaluation.error
    return passed
  }
}

/** As `compileClause`, waiting for JSONata where the rest does not decide. Never rejects. */
export function compileClauseAsync(clause: Clause): CheckClauseLater {
  switch (clause.kind) {
    case 'all':
    case 'any': {
      const decisive = clause.kind === 'any'
      // What needs no waiting first: it may decide.
      const checks = [...clause.clauses]
        .sort((a, b) => Number(hasJsonata(a)) - Number(hasJsonata(b)))
        .map(compileClauseAsync)
      return async (evaluation, jsonata) => {
        for (const check of checks) if ((await check(evaluation, jsonata)) === decisive) return decisive
        return !decisive
      }
    }
    case 'not': {
      const check = compileClauseAsync(clause.clause)
      return async (evaluation, jsonata) => !(await check(evaluation, jsonata))
    }
    case 'jsonata': {
      const { expression } = clause
      return (evaluation, jsonata) => passesJsonata(expression, evaluation, jsonata)
    }
    default: {
      const check = compileClause(clause)
      return evaluation => Promise.resolve(check(evaluation))
    }
  }
}

async function passesJsonata(expression: string, evaluation: Evaluation, jsonata: JsonataEvaluator): Promise<boolean> {
  try {
    return isTruthy(await jsonata.evaluate(expression, evaluation.subject.toObject()))
  } catch (error) {
    if (error instanceof JsonataError) evaluation.fail('jsonata', error.message)
    else evaluation.fail('data', 'data is not what its content type says')
    return false
  }
}

function hasJsonata(clause: Clause): boolean {
  if (clause.kind === 'all' || clause.kind === 'any') return clause.clauses.some(hasJsonata)
  return clause.kind === 'not' ? hasJsonata(clause.clause) : clause.kind === 'jsonata'
}
