/** JSONata for filters and transforms: the check of expressions and the evaluator in a child process. */
export { createChildEvaluator, type ChildEvaluatorOptions } from './child-evaluator.ts'
export { checkJsonata } from './syntax.ts'
export {
  isTruthy,
  JsonataError,
  type JsonataErrorKind,
  type JsonataEvaluator,
  type JsonataProblem,
  type JsonataSyntax,
} from './evaluator.ts'
