/** The tree of a CESQL expression (CESQL 1.0 §2). */
import type { Glob } from '../text/glob.ts'

/** `any`: known only when it is evaluated. */
export type CesqlType = 'boolean' | 'integer' | 'string' | 'any'

export type CesqlValue = boolean | number | string

/** Where a node stands in the text, in UTF-16 units. */
type Span = { readonly start: number; readonly end: number }

export type Literal = Span & { readonly kind: 'literal'; readonly value: CesqlValue }
export type Attribute = Span & { readonly kind: 'attribute'; readonly name: string }
export type Exists = Span & { readonly kind: 'exists'; readonly name: string }
export type Not = Span & { readonly kind: 'not'; readonly operand: Expression }
export type Negate = Span & { readonly kind: 'negate'; readonly operand: Expression }
export type Like = Span & {
  readonly kind: 'like'
  readonly operand: Expression
  readonly pattern: string
  readonly glob: Glob
  readonly negated: boolean
}
export type In = Span & {
  readonly kind: 'in'
  readonly operand: Expression
  readonly set: readonly Expression[]
  readonly negated: boolean
}
export type Binary = Span & {
  readonly kind: 'binary'
  readonly operator: BinaryOperator
  readonly left: Expression
  readonly right: Expression
}
export type Call = Span & { readonly kind: 'call'; readonly name: string; readonly arguments: readonly Expression[] }

export type BinaryOperator = LogicOperator | ComparisonOperator | ArithmeticOperator
export type LogicOperator = 'AND' | 'OR' | 'XOR'
export type ComparisonOperator = '=' | '!=' | '<' | '<=' | '>' | '>='
export type ArithmeticOperator = '+' | '-' | '*' | '/' | '%'

export type Expression = Literal | Attribute | Exists | Not | Negate | Like | In | Binary | Call

/** Attributes that every event has. */
export const requiredAttributes: ReadonlySet<string> = new Set(['specversion', 'id', 'source', 'type'])
