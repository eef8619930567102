/** What is wrong with a filter's definition, and what went wrong when a good one met an event. */

/** Where a definition is wrong: JSON pointer into the definition, and for a text in it also the place there. */
export type FilterPosition = {
  /** `''` is the definition itself, `/all/1/sql` the text of its second clause. */
  readonly path: string
  /** UTF-16 units from the beginning of the text; line and column count from 1. */
  readonly offset?: number
  readonly line?: number
  readonly column?: number
}

/** Thrown by `compileFilter`, `compileCesql` and `compilePattern`, which throw nothing else. One line; the message names
 *  the position and quotes at most some characters of the definition. */
export class FilterError extends Error {
  override readonly name = 'FilterError'
  readonly position: FilterPosition
  /** The message without the position. */
  readonly reason: string

  constructor(reason: string, position: FilterPosition) {
    const place = position.line === undefined ? '' : ` at line ${position.line}, column ${position.column}`
    super(`${position.path === '' ? '' : `${position.path}: `}${reason}${place}`)
    this.reason = reason
    this.position = position
  }

  /** The same error, seen from a definition in which this one lies at `path`. */
  within(path: string): FilterError {
    return path === '' ? this : new FilterError(this.reason, { ...this.position, path: path + this.position.path })
  }
}

/** Error at a place in a text. */
export function errorAt(text: string, offset: number, reason: string, path = ''): FilterError {
  let line = 1
  let start = 0
  for (let at = text.indexOf('\n'); at >= 0 && at < offset; at = text.indexOf('\n', at + 1)) {
    line++
    start = at + 1
  }
  return new FilterError(reason, { path, offset, line, column: offset - start + 1 })
}

/** A piece of a definition for a message: one line, bounded. */
export function shown(value: unknown, lengthMax = 40): string {
  const text = (typeof value === 'string' ? JSON.stringify(value) : JSON.stringify(value)) ?? String(value)
  return text.length > lengthMax ? `${text.slice(0, lengthMax)}...` : text
}

/** One step of a JSON pointer (RFC 6901). */
export function pointerStep(name: string | number): string {
  return `/${String(name).replaceAll('~', '~0').replaceAll('/', '~1')}`
}

/**
 * Kinds of failure at an event. The first six are CESQL's (CESQL 1.0 §3.3); `generic` is also work beyond the bound;
 * `data`: the payload is not what its content type says; `jsonata`: the evaluator's limits and errors.
 */
export type EvaluationErrorKind =
  'math' | 'cast' | 'missingFunction' | 'functionEvaluation' | 'missingAttribute' | 'generic' | 'data' | 'jsonata'

/** Why a filter could not be decided; data, not thrown. It means "no match" (events.md §3.2). */
export type EvaluationError = { readonly kind: EvaluationErrorKind; readonly message: string }
