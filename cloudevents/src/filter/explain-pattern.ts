/** Which field of a pattern an event does not pass. */
import { Evaluation } from './evaluation.ts'
import { shown } from './filter-error.ts'
import { compileAlternative } from './pattern/match-pattern.ts'
import { memberOf } from './pattern/member.ts'
import { fieldsOf, type Pattern, type PatternField, type PatternNode } from './pattern/pattern.ts'
import type { FilterSubject } from './subject.ts'
import { describeTest } from './value-test.ts'

/** For people: the first field that fails in each alternative. */
export function explainPattern({ alternatives }: Pattern, subject: FilterSubject): string {
  const reasons = alternatives.slice(0, alternativesMax).map(root => explainAlternative(root, subject))
  const more = alternatives.length > alternativesMax ? '; ...' : ''
  return reasons.length === 1 ? (reasons[0] as string) : `no alternative holds: ${reasons.join('; ')}${more}`
}

const alternativesMax = 10
const valuesMax = 3
const testsMax = 10

function explainAlternative(root: PatternNode, subject: FilterSubject): string {
  const failing = fieldsOf(root).find(field => !passes(aloneOf(field), subject))
  if (failing === undefined) return 'each field holds, but no element of an array has all of them'
  const { path, tests, orAbsent } = failing
  const wanted = [...(orAbsent ? ['is absent'] : []), ...tests.slice(0, testsMax).map(describeTest)]
  const more = tests.length > testsMax ? ', ...' : ''
  return `${path.join('.')} ${foundAt(path, subject)}; wanted is one that ${wanted.join(', or ')}${more}`
}

function passes(root: PatternNode, subject: FilterSubject): boolean {
  return compileAlternative(root)(new Evaluation(subject))
}

/** The pattern with this field only. */
function aloneOf(field: PatternField): PatternNode {
  const node = (depth: number): PatternNode => {
    const name = field.path[depth]
    if (name === undefined) return { field, members: [], dottedKeys: [] }
    return { field: undefined, members: [{ name, node: node(depth + 1) }], dottedKeys: [] }
  }
  return node(0)
}

function foundAt(path: readonly string[], subject: FilterSubject): string {
  const values = valuesAt(subject.toObject(), path, 0).slice(0, valuesMax + 1)
  if (values.length === 0) return 'is absent'
  const texts = values.slice(0, valuesMax).map(value => shown(value, 100))
  return `is ${texts.join(', ')}${values.length > valuesMax ? ', ...' : ''}`
}

function valuesAt(value: unknown, path: readonly string[], depth: number): unknown[] {
  if (Array.isArray(value)) return value.slice(0, 100).flatMap(element => valuesAt(element, path, depth))
  const name = path[depth]
  if (name === undefined) return value === undefined ? [] : [value]
  return typeof value === 'object' && value !== null ? valuesAt(memberOf(value, name), path, depth + 1) : []
}
