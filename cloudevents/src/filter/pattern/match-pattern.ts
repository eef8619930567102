/**
 * Matches a pattern against an event, consistently within arrays, as event-ruler does: fields below one array must hold in
 * one of its elements. It follows the structure of event and pattern instead of flattening both, so that time is at most
 * their product.
 */
import type { Evaluation } from '../evaluation.ts'
import { compileTests } from '../value-test.ts'
import { withDottedNames } from './dotted-names.ts'
import { memberOf } from './member.ts'
import { fieldsOf, type Pattern, type PatternField, type PatternNode } from './pattern.ts'

/** Asks a value, `undefined` when it is missing. */
type CheckNode = (value: unknown, evaluation: Evaluation) => boolean

/** Whether an event passes. */
export function compilePatternCheck({ alternatives }: Pattern): (evaluation: Evaluation) => boolean {
  const checks = alternatives.map(compileAlternative)
  const [only] = checks
  return only !== undefined && checks.length === 1 ? only : evaluation => checks.some(check => check(evaluation))
}

/** One alternative. The members of its root are the attributes and `data`. */
export function compileAlternative(root: PatternNode): (evaluation: Evaluation) => boolean {
  if (hasDottedKeys(root)) {
    const check = compileMembers(root, 0)
    return evaluation => {
      evaluation.data()
      return evaluation.error === undefined && check(evaluation.subject.toObject(), evaluation)
    }
  }
  const names = root.members.map(({ name }) => name)
  const checks = root.members.map(({ node }) => compileNode(node))
  return evaluation => {
    for (let index = 0; index < names.length; index++) {
      const name = names[index] as string
      const value = name === 'data' ? evaluation.data() : evaluation.subject.attribute(name)
      if (!(checks[index] as CheckNode)(value, evaluation)) return false
    }
    return true
  }
}

function hasDottedKeys(node: PatternNode): boolean {
  return node.dottedKeys.length > 0 || node.members.some(member => hasDottedKeys(member.node))
}

function compileNode(node: PatternNode, depth = 1): CheckNode {
  const field = node.field && compileField(node.field)
  const members = node.members.length > 0 ? compileMembers(node, depth) : undefined
  if (field && members) return (value, evaluation) => field(value, evaluation) && members(value, evaluation)
  return field ?? members ?? (() => true)
}

function compileField({ tests, orAbsent }: PatternField): CheckNode {
  const check = compileTests(tests)
  return (value, evaluation) => {
    if (value === undefined) return orAbsent
    if (typeof value !== 'object' || value === null) return check(value, evaluation)
    if (Array.isArray(value) && someLeaf(value, leaf => check(leaf, evaluation))) return true
    return orAbsent && !hasLeaf(value)
  }
}

/** Objects are no leaves, nor is what is in them. */
function someLeaf(values: readonly unknown[], check: (leaf: unknown) => boolean): boolean {
  return values.some(value =>
    Array.isArray(value) ? someLeaf(value, check) : (typeof value !== 'object' || value === null) && check(value),
  )
}

function hasLeaf(value: unknown): boolean {
  return Array.isArray(value) ? someLeaf(value, () => true) : typeof value !== 'object' || value === null
}

/** `depth`: how many names lead to the node. */
function compileMembers(node: PatternNode, depth: number): CheckNode {
  const names = node.members.map(({ name }) => name)
  const checks = node.members.map(({ node: member }) => compileNode(member, depth + 1))
  const fields = fieldsOf({ ...node, field: undefined })
  const demands = fields.some(field => field.tests.length > 0)
  const early = compileEarlyAbsences(fields, depth)
  const { dottedKeys } = node

  const ofObject: CheckNode = (object, evaluation) => {
    const value = dottedKeys.length > 0 ? withDottedNames(object as object, dottedKeys) : (object as object)
    for (let index = 0; index < names.length; index++) {
      if (!(checks[index] as CheckNode)(memberOf(value, names[index] as string), evaluation)) return false
    }
    return true
  }
  const ofElement: CheckNode = (element, evaluation) => {
    if (Array.isArray(element)) return element.some(inner => ofElement(inner, evaluation))
    return typeof element === 'object' && element !== null && ofObject(element, evaluation)
  }
  return (value, evaluation) => {
    if (typeof value !== 'object' || value === null) return checks.every(check => check(undefined, evaluation))
    if (!Array.isArray(value)) return ofObject(value, evaluation)
    if (!early(value)) return false
    if (value.length === 0) return checks.every(check => check(undefined, evaluation))
    return !demands || value.some(element => ofElement(element, evaluation))
  }
}

/**
 * event-ruler takes fields in the order of their paths. What must not exist is looked for in all elements of an array until
 * a field that must exist has chosen one.
 */
function compileEarlyAbsences(fields: readonly PatternField[], depth: number): (array: readonly unknown[]) => boolean {
  const first = fields.findIndex(field => field.tests.length > 0)
  const early = first < 0 ? fields : fields.slice(0, first)
  const paths = early.map(field => field.path.slice(depth))
  return array => paths.every(path => !existsBelow(array, path, 0))
}

function existsBelow(value: unknown, path: readonly string[], step: number): boolean {
  if (Array.isArray(value)) {
    return step === path.length ? hasLeaf(value) : value.some(element => existsBelow(element, path, step))
  }
  if (step === path.length) return value !== undefined && hasLeaf(value)
  if (typeof value !== 'object' || value === null) return false
  return existsBelow(memberOf(value, path[step] as string), path, step + 1)
}
