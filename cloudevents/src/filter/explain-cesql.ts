/** Which part of a CESQL expression is false for an event. */
import type { Expression } from './cesql/ast.ts'
import type { CesqlExpression } from './cesql/cesql.ts'
import { compileExpression } from './cesql/compile.ts'
import { childrenOf, partsOf } from './cesql/walk.ts'
import { Evaluation } from './evaluation.ts'
import { shown } from './filter-error.ts'
import type { FilterSubject } from './subject.ts'

/** For people: the first of the parts joined by AND that is not true, with the attributes in it. */
export function explainExpression({ text, root }: CesqlExpression, subject: FilterSubject): string {
  const parts = partsOf(root)
  const results = parts.map(part => evaluate(part, subject))
  const at = results.findIndex(value => value !== true)
  const part = parts[Math.max(0, at)] as Expression
  const value = results[Math.max(0, at)]
  const names = [...new Set(attributesIn(part))].slice(0, namesMax)
  const attributes = names.map(name => `${name} is ${shown(subject.attribute(name) ?? 'absent', 100)}`)
  const source = text.slice(part.start, Math.min(part.end, part.start + sourceLengthMax))
  const result = typeof value === 'boolean' ? String(value) : `${shown(value, 100)}, which is no boolean`
  return `${source} is ${result}${attributes.length > 0 ? `; ${attributes.join(', ')}` : ''}`
}

const namesMax = 5
const sourceLengthMax = 200

function evaluate(part: Expression, subject: FilterSubject): unknown {
  return compileExpression(part, { withData: true })(new Evaluation(subject))
}

function attributesIn(root: Expression): string[] {
  const names: string[] = []
  const open: Expression[] = [root]
  for (let node = open.pop(); node !== undefined; node = open.pop()) {
    if (node.kind === 'attribute' || node.kind === 'exists') names.push(node.name)
    open.push(...[...childrenOf(node)].reverse())
  }
  return names
}
