/** The seam behind which JSONata runs (design.md §8): filters and transforms never run it in their own process. */

/** Checks an expression without running it. */
export type JsonataSyntax = {
  /** The first mistake and its place in UTF-16 units, or nothing. Bounded in time and memory, never throws. */
  check(expression: string): JsonataProblem | undefined
}

export type JsonataProblem = { readonly offset: number; readonly message: string }

/** Runs expressions. One input, one result; whatever the expression does is bounded. */
export type JsonataEvaluator = JsonataSyntax & {
  /**
   * The result for an input, a JSON value. Rejects with JsonataError only: an error of the expression, or a bound that it
   * broke (time, size, depth). `undefined` is a result: the expression found nothing.
   */
  evaluate(expression: string, input: unknown): Promise<unknown>
  /** Ends what runs; evaluations that wait are rejected. May be called twice. */
  close(): Promise<void>
}

/** `expression`: the expression's own error; `time`, `size`, `depth`: a bound; `closed`: the evaluator is not there. */
export type JsonataErrorKind = 'expression' | 'time' | 'size' | 'depth' | 'closed'

export class JsonataError extends Error {
  override readonly name = 'JsonataError'
  readonly kind: JsonataErrorKind

  constructor(kind: JsonataErrorKind, message: string) {
    super(message)
    this.kind = kind
  }
}

/** Truth as JSONata's `$boolean` sees it: empty texts, lists and objects, 0, null and nothing are false. */
export function isTruthy(value: unknown): boolean {
  if (Array.isArray(value)) return value.some(isTruthy)
  if (typeof value === 'object' && value !== null) return Object.keys(value).length > 0
  return Boolean(value)
}
