/**
 * Guards of CESQL. An event that no guard holds for makes the expression false *without an error*: errors are counted and
 * explained, so a rule that would fail must be looked at. Hence an attribute that may be missing guards twice.
 */
import { requiredAttributes, type Expression } from '../cesql/ast.ts'
import { partsOf } from '../cesql/walk.ts'
import { simplify } from '../text/glob.ts'
import type { ValueTest } from '../value-test.ts'
import { oneOf, unguarded, union, type Conjunct, type Guard } from './guards.ts'

export function conjunctsOfExpression(root: Expression): Conjunct[] {
  const parts = partsOf(root)
  // The right side is not looked at when the left one is false, but an error on the left comes first.
  const failing = parts.findIndex(part => !isErrorFree(part))
  if (failing < 0 || failing === parts.length - 1) return parts.map(conjunctOfPart)
  return [...parts.slice(0, failing + 1).map(conjunctOfPart), unguarded]
}

function conjunctOfPart(node: Expression): Conjunct {
  if (node.kind === 'binary' && node.operator === 'OR')
    return union([conjunctsOfExpression(node.left), conjunctsOfExpression(node.right)])
  const found = textTests(node)
  return found ? conjunctOn(found.name, found.tests) : unguarded
}

/** `attribute = 'text'`, `attribute LIKE 'text%'`, `attribute IN ('text', …)`. */
function textTests(node: Expression): { name: string; tests: ValueTest[] } | undefined {
  if (node.kind === 'binary' && node.operator === '=' && node.left.kind === 'attribute') {
    const { right } = node
    if (right.kind !== 'literal' || typeof right.value !== 'string') return undefined
    return { name: node.left.name, tests: [{ op: 'equals', value: right.value }] }
  }
  if (node.kind === 'like' && !node.negated && node.operand.kind === 'attribute') {
    const simple = simplify(node.glob)
    const test: ValueTest = simple.op === 'glob' ? { ...simple, text: node.pattern } : simple
    return { name: node.operand.name, tests: [test] }
  }
  if (node.kind === 'in' && !node.negated && node.operand.kind === 'attribute') {
    const tests = node.set.map((element): ValueTest | undefined =>
      element.kind === 'literal' ? { op: 'equals', value: String(element.value) } : undefined,
    )
    if (tests.every(test => test !== undefined)) return { name: node.operand.name, tests }
  }
  return undefined
}

function conjunctOn(name: string, tests: readonly ValueTest[]): Conjunct {
  const guards = tests.map((test): Guard => ({ kind: 'text', name, test }))
  if (requiredAttributes.has(name)) return oneOf(guards, { name, text: true, tests })
  return { guards: [...guards, { kind: 'untexted', name }], sufficient: false }
}

/** Cannot fail, whatever the event: conservative. */
export function isErrorFree(node: Expression): boolean {
  switch (node.kind) {
    case 'exists':
      return true
    case 'literal':
      return typeof node.value === 'boolean'
    case 'not':
      return isErrorFree(node.operand)
    case 'binary':
      return ['AND', 'OR', 'XOR'].includes(node.operator)
        ? isErrorFree(node.left) && isErrorFree(node.right)
        : ['=', '!='].includes(node.operator) &&
            isRequiredAttribute(node.left) &&
            node.right.kind === 'literal' &&
            typeof node.right.value === 'string'
    case 'like':
      return isRequiredAttribute(node.operand)
    case 'in':
      return isRequiredAttribute(node.operand) && node.set.every(element => element.kind === 'literal')
    default:
      return false
  }
}

function isRequiredAttribute(node: Expression): boolean {
  return node.kind === 'attribute' && requiredAttributes.has(node.name)
}
