/** The form of an EventBridge pattern after compilation: alternatives, each a tree of fields that must hold together. */
import type { ValueTest } from '../value-test.ts'

/** Passed when one alternative is. Without `$or` there is one. */
export type Pattern = { readonly alternatives: readonly PatternNode[] }

/** What is asked of the value at one place of the event. All of it must hold, in one element of each array on the way. */
export type PatternNode = {
  /** Of the value itself. */
  readonly field: PatternField | undefined
  /** Of its members. */
  readonly members: readonly PatternMember[]
  /** Keys with dots that the pattern has here. Events may have them as a name or as a path. */
  readonly dottedKeys: readonly string[]
}

export type PatternMember = {
  readonly name: string
  readonly node: PatternNode
}

export type PatternField = {
  /** Names from the event down: the keys, cut at their dots. */
  readonly path: readonly string[]
  /** Keys as the pattern has them. */
  readonly keys: readonly string[]
  /** JSON pointer to the list of conditions, from the pattern down. */
  readonly at: string
  /** One of them must hold for one value. */
  readonly tests: readonly ValueTest[]
  /** `{"exists": false}` is among the conditions: then no value at all will do as well. */
  readonly orAbsent: boolean
}

/** The fields of a tree, in the order of event-ruler: by dotted path. */
export function fieldsOf(node: PatternNode): PatternField[] {
  const found: PatternField[] = []
  const visit = (at: PatternNode) => {
    if (at.field) found.push(at.field)
    for (const member of at.members) visit(member.node)
  }
  visit(node)
  const dotted = new Map(found.map(field => [field, field.path.join('.')]))
  return found.sort((a, b) => ((dotted.get(a) as string) < (dotted.get(b) as string) ? -1 : 1))
}
