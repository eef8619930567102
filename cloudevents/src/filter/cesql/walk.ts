/** The operands of a node, from left to right. */
import type { Expression } from './ast.ts'

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
