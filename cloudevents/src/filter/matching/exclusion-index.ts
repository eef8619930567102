/** "Anything but these values": finds all entries but those that exclude the value. */
import type { Scalar, ValueTest } from '../value-test.ts'

export class ExclusionIndex {
  /** Entry of each exclusion, by its number. */
  readonly #entries: number[] = []
  /** Numbers of the exclusions that name the value. */
  readonly #excluding = new Map<Scalar, number[]>()
  /** The lists that were asked for, by value; there are as many as excluded values. */
  readonly #passing = new Map<Scalar, readonly number[]>()

  add(tests: readonly (ValueTest & { op: 'equals' })[], entry: number): void {
    const number = this.#entries.push(entry) - 1
    for (const value of new Set(tests.map(test => test.value))) {
      const excluding = this.#excluding.get(value)
      if (excluding === undefined) this.#excluding.set(value, [number])
      else excluding.push(number)
    }
  }

  find(value: Scalar, found: (entries: readonly number[]) => void): void {
    const excluding = this.#excluding.get(value)
    found(excluding === undefined ? this.#entries : this.#passed(value, excluding))
  }

  #passed(value: Scalar, excluding: readonly number[]): readonly number[] {
    let passing = this.#passing.get(value)
    if (passing === undefined) {
      const out = new Set(excluding)
      passing = this.#entries.filter((_, number) => !out.has(number))
      if (this.#passing.size < cachedMax) this.#passing.set(value, passing)
    }
    return passing
  }
}

/** Lists kept: each may be as long as there are entries. */
const cachedMax = 64
