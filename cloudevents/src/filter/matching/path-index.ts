/** Tests of values all over an event, as a tree of the names that lead to them. Looks only where some test is. */
import type { Evaluation } from '../evaluation.ts'
import { memberOf } from '../pattern/member.ts'
import type { Scalar, ValueTest } from '../value-test.ts'
import { ValueIndex, type Found } from './value-index.ts'

export class PathIndex {
  #values: ValueIndex | undefined
  readonly #members = new Map<string, PathIndex>()
  #names: readonly string[] = []
  #nodes: readonly PathIndex[] = []

  add(path: readonly string[], test: ValueTest, entry: number, depth = 0): void {
    const name = path[depth]
    if (name === undefined) {
      ;(this.#values ??= new ValueIndex()).add(test, entry)
      return
    }
    let node = this.#members.get(name)
    if (node === undefined) this.#members.set(name, (node = new PathIndex()))
    node.add(path, test, entry, depth + 1)
  }

  /** Once, after the last `add`. */
  build(): void {
    this.#names = [...this.#members.keys()]
    this.#nodes = [...this.#members.values()]
    this.#values?.build()
    for (const node of this.#nodes) node.build()
  }

  /** The tree below each first name. */
  members(): ReadonlyMap<string, PathIndex> {
    return this.#members
  }

  /** Elements of arrays count each. */
  find(value: unknown, evaluation: Evaluation, found: Found): void {
    if (typeof value !== 'object' || value === null) {
      this.#values?.find(value as Scalar, evaluation, found)
      return
    }
    if (Array.isArray(value)) {
      for (const element of value) this.find(element, evaluation, found)
      return
    }
    const names = this.#names
    if (names.length > namesMax) return this.#findMany(value, evaluation, found)
    for (let index = 0; index < names.length; index++) {
      const member = memberOf(value, names[index] as string)
      if (member !== undefined) (this.#nodes[index] as PathIndex).find(member, evaluation, found)
    }
  }

  /** By the names of the event, which are fewer than those of the rules. */
  #findMany(value: object, evaluation: Evaluation, found: Found): void {
    for (const [name, member] of Object.entries(value)) this.#members.get(name)?.find(member, evaluation, found)
  }
}

/** Up to so many names it is quicker to ask for each. */
const namesMax = 32
