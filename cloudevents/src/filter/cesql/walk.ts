/** Ways through the tree of an expression. */
import type { Expression } from './ast.ts'

/** The operands of a node, from left to right. */
export function childrenOf(node: Expression): readonly Expression[] {
  switch (node.kind) {
    case 'not':
    case 'negate':
    case 'like':
      return [node.operand]
    case 'in':
      return [node.operand, ...node.set]
    case 'binary':
      return [node.left, node.right]
    case 'call':
      return node.arguments
    default:
      return []
  }
}

/** What AND joins, from left to right. */
export function partsOf(root: Expression): Expression[] {
  const parts: Expression[] = []
  const open = [root]
  for (let node = open.pop(); node !== undefined; node = open.pop()) {
    if (node.kind === 'binary' && node.operator === 'AND') open.push(node.right, node.left)
    else parts.push(node)
  }
  return parts
}
