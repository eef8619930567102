/** Filters over CloudEvents: CESQL, EventBridge patterns, the dialects of the Subscriptions API, JSONata behind a seam. */
export { compileFilter, type CompiledFilter, type Decision } from './compile-filter.ts'
export type { DefinitionOptions } from './parse-definition.ts'
export { FilterError, type EvaluationError, type EvaluationErrorKind, type FilterPosition } from './filter-error.ts'
export { subjectOf, subjectOfJson, subjectOfParts, type FilterSubject } from './subject.ts'
export { clausesIn, type Clause, type FilterLanguage } from './clause.ts'
export { compileTransform, type CompiledTransform } from './transform.ts'
export { explain, type Explanation, type FailingClause } from './explain.ts'
export { RuleSet, type RuleSetEntry, type RuleSetMatch } from './matching/rule-set.ts'
export { filterLimits } from './limits.ts'
export { compileCesql, type CesqlExpression, type CesqlOptions, type CesqlResult } from './cesql/cesql.ts'
export type { CesqlValue } from './cesql/ast.ts'
export { compilePattern } from './pattern/compile-pattern.ts'
export {
  isTruthy,
  JsonataError,
  type JsonataErrorKind,
  type JsonataEvaluator,
  type JsonataProblem,
  type JsonataSyntax,
} from './jsonata/evaluator.ts'
