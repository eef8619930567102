/** JSONata for filters and transforms: the check of expressions and the evaluator in a child process. */
export type { ChildEvaluatorOptions } from './child-evaluator.ts'
export { createChildEvaluator } from './evaluator-lanes.ts'
export { checkJsonata } from './syntax.ts'
export {
  isTruthy,
  JsonataError,
  type JsonataErrorKind,
  type JsonataEvaluator,
  type JsonataProblem,
  type JsonataSyntax,
} from './evaluator.ts'
