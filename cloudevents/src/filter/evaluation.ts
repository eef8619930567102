/** The state of one evaluation: the event, the first error, the work that is left. */
import type { EvaluationError, EvaluationErrorKind } from './filter-error.ts'
import { filterLimits } from './limits.ts'
import type { FilterSubject } from './subject.ts'

export class Evaluation {
  readonly subject: FilterSubject
  /** The first error since it was last cleared. */
  error: EvaluationError | undefined = undefined
  /** Set once the work is used up: what was not decided by then cannot be. */
  exhausted: EvaluationError | undefined = undefined
  #work = 0
  #dataError: EvaluationError | undefined = undefined

  constructor(subject: FilterSubject) {
    this.subject = subject
  }

  fail(kind: EvaluationErrorKind, message: string): void {
    this.error ??= { kind, message }
  }

  /** The payload; a payload that cannot be read is the error `data` and seen as none. */
  data(): unknown {
    if (this.#dataError === undefined) {
      try {
        return this.subject.data()
      } catch {
        // Without a cause: readers of bad JSON quote it.
        this.#dataError = { kind: 'data', message: 'data is not what its content type says' }
      }
    }
    this.error ??= this.#dataError
    return undefined
  }

  /** Counts an operation on a long text. False, with an error, once the bound is reached. */
  charge(characters: number): boolean {
    if (characters <= filterLimits.longText) return true
    this.#work += characters
    if (this.#work <= filterLimits.workMax) return true
    this.exhaust('the filters look at more text than one event may cost')
    return false
  }

  exhaust(message: string): void {
    this.exhausted ??= { kind: 'generic', message }
    this.error ??= this.exhausted
  }

  get dataUnreadable(): boolean {
    return this.#dataError !== undefined
  }
}
