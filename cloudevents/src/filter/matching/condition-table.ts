/** Conditions on attributes that rules share: each is asked at most once for an event. */
import { textOf } from '../decide.ts'
import type { Evaluation } from '../evaluation.ts'
import { compileTests, type CheckValue } from '../value-test.ts'
import type { AttributeCondition } from './guards.ts'

type Condition = { readonly name: string; readonly text: boolean; readonly check: CheckValue }

export class ConditionTable {
  readonly #numbers = new Map<string, number>()
  readonly #conditions: Condition[] = []
  /** Twice the number of the match in which it was asked, plus the answer. */
  #answers = new Float64Array(16)
  #began = 0

  /** Number of the condition; equal ones have one. */
  add(condition: AttributeCondition): number {
    const { name, text, tests } = condition
    // Addresses of IPv6 are bigints, and told apart by their text.
    const key = JSON.stringify([name, text, tests], (_, value: unknown) => (typeof value === 'bigint' ? null : value))
    let number = this.#numbers.get(key)
    if (number === undefined) {
      number = this.#conditions.push({ name, text, check: compileConditionTests(tests) }) - 1
      this.#numbers.set(key, number)
      if (number >= this.#answers.length) {
        const answers = new Float64Array(2 * this.#answers.length)
        answers.set(this.#answers)
        this.#answers = answers
      }
    }
    return number
  }

  /** A new event. */
  begin(): void {
    this.#began += 2
  }

  holds(number: number, evaluation: Evaluation): boolean {
    const answer = (this.#answers[number] as number) - this.#began
    return answer === 0 || answer === 1 ? answer === 1 : this.#ask(number, evaluation)
  }

  #ask(number: number, evaluation: Evaluation): boolean {
    const { name, text, check } = this.#conditions[number] as Condition
    const value = evaluation.subject.attribute(name)
    const holds = value !== undefined && check(text ? textOf(value) : value, evaluation)
    this.#answers[number] = this.#began + Number(holds)
    return holds
  }
}

/** Attributes are no lists, but subjects that are no events may have some. */
function compileConditionTests(tests: AttributeCondition['tests']): CheckValue {
  const check = compileTests(tests)
  const checkAny: CheckValue = (value, evaluation) =>
    Array.isArray(value)
      ? value.some(element => checkAny(element, evaluation))
      : (typeof value !== 'object' || value === null) && check(value, evaluation)
  return checkAny
}
