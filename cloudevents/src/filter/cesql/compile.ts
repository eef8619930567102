/**
 * Turns the tree of an expression into functions. Each node is total: it gives a value of its type and, if something went
 * wrong in it, leaves the error in the evaluation; an operator with an operand in error gives its zero value (§3.2, §3.3).
 */
import type { Evaluation } from '../evaluation.ts'
import { filterLimits } from '../limits.ts'
import { compileGlob, simplify } from '../text/glob.ts'
import type {
  Attribute,
  Binary,
  Call,
  CesqlType,
  CesqlValue,
  ComparisonOperator,
  Expression,
  In,
  Like,
  Not,
} from './ast.ts'
import { castLike, toBoolean, toInteger, toText } from './cast.ts'
import { findFunction } from './functions.ts'

type Evaluate<T extends CesqlValue> = (evaluation: Evaluation) => T

type CompileOptions = { readonly withData: boolean }

/** Any expression. `evaluation.error` must be undefined before it is called. */
export function compileExpression(node: Expression, options: CompileOptions): Evaluate<CesqlValue> {
  switch (node.kind) {
    case 'literal': {
      const { value } = node
      return () => value
    }
    case 'attribute':
      return compileAttribute(node)
    case 'exists': {
      const { name } = node
      return evaluation => evaluation.subject.attribute(name) !== undefined
    }
    case 'not':
      return compileNot(node, options)
    case 'negate': {
      const operand = compileExpression(node.operand, options)
      return evaluation => {
        const value = operand(evaluation)
        return evaluation.error === undefined ? inRange(-toInteger(value, evaluation), evaluation) : 0
      }
    }
    case 'like':
      return compileLike(node, options)
    case 'in':
      return compileIn(node, options)
    case 'binary':
      return compileBinary(node, options)
    case 'call':
      return compileCall(node, options)
  }
}

function compileAttribute({ name }: Attribute): Evaluate<CesqlValue> {
  return evaluation => {
    const value = evaluation.subject.attribute(name)
    if (typeof value === 'string' || typeof value === 'boolean') return value
    if (typeof value === 'number') return (value | 0) === value ? value : String(value)
    // Attributes of other types do not come from events.
    evaluation.fail('missingAttribute', `the event has no attribute ${name}`)
    return false
  }
}

/** An integer is no operand of NOT; what cannot be cast counts as false, so that the result is true. */
function compileNot({ operand }: Not, options: CompileOptions): Evaluate<boolean> {
  const evaluate = compileExpression(operand, options)
  return evaluation => {
    const value = evaluate(evaluation)
    if (evaluation.error !== undefined) return false
    if (typeof value !== 'number') return !toBoolean(value, evaluation)
    evaluation.fail('cast', `NOT takes a boolean, not the integer ${value}`)
    return true
  }
}

function compileLike({ operand, glob, negated }: Like, options: CompileOptions): Evaluate<boolean> {
  const evaluate = compileExpression(operand, options)
  const simple = simplify(glob)
  const matches =
    simple.op === 'glob'
      ? compileGlob(glob)
      : simple.op === 'equals'
        ? (text: string) => text === simple.value
        : simple.op === 'prefix'
          ? (text: string) => text.startsWith(simple.value)
          : (text: string) => text.endsWith(simple.value)
  return evaluation => {
    const value = evaluate(evaluation)
    if (evaluation.error !== undefined) return false
    const text = typeof value === 'string' ? value : toText(value)
    if (text.length > filterLimits.longText && !evaluation.charge(text.length)) return false
    return matches(text) !== negated
  }
}

/** The set's elements are cast to the type of the operand (§3.4.5), from left to right until one is equal. */
function compileIn({ operand, set, negated }: In, options: CompileOptions): Evaluate<boolean> {
  const evaluate = compileExpression(operand, options)
  const literals = set.map(element => (element.kind === 'literal' ? element.value : undefined))
  // Any value can be cast to a string, so equality with one of these strings is all there is to a string.
  const texts = literals.includes(undefined) ? undefined : new Set(literals.map(value => toText(value as CesqlValue)))
  const elements = set.map(element => compileExpression(element, options))
  return evaluation => {
    const value = evaluate(evaluation)
    if (evaluation.error !== undefined) return false
    if (texts !== undefined && typeof value === 'string') return texts.has(value) !== negated
    return isAmong(value, elements, evaluation) ? !negated : negated && evaluation.error === undefined
  }
}

/** An element in error is not equal; its error stays. */
function isAmong(value: CesqlValue, elements: readonly Evaluate<CesqlValue>[], evaluation: Evaluation): boolean {
  let first: Evaluation['error']
  let found = false
  for (const evaluate of elements) {
    const element = evaluate(evaluation)
    const cast = evaluation.error === undefined ? castLike(element, value, evaluation) : undefined
    found = evaluation.error === undefined && cast === value
    first ??= evaluation.error
    evaluation.error = undefined
    if (found) break
  }
  evaluation.error = first
  return found
}

function compileBinary(node: Binary, options: CompileOptions): Evaluate<CesqlValue> {
  switch (node.operator) {
    case 'AND':
    case 'OR':
    case 'XOR':
      return compileLogic(node, options)
    case '=':
    case '!=':
      return compileEquality(node, options)
    case '<':
    case '<=':
    case '>':
    case '>=':
      return compileOrder(node.operator, node, options)
    default:
      return compileArithmetic(node, options)
  }
}

/** AND and OR do not look to the right when the left side decides (§3.4.2). */
function compileLogic({ operator, left, right }: Binary, options: CompileOptions): Evaluate<boolean> {
  const [evaluateLeft, evaluateRight] = [compileBoolean(left, options), compileBoolean(right, options)]
  if (operator === 'AND')
    return evaluation => evaluateLeft(evaluation) && evaluation.error === undefined && evaluateRight(evaluation)
  if (operator === 'OR')
    return evaluation => {
      const value = evaluateLeft(evaluation)
      return evaluation.error === undefined && (value || evaluateRight(evaluation))
    }
  return evaluation => {
    const first = evaluateLeft(evaluation)
    if (evaluation.error !== undefined) return false
    const second = evaluateRight(evaluation)
    return evaluation.error === undefined && first !== second
  }
}

/** An operand of a logic operator; false with the error when it cannot be cast. */
function compileBoolean(node: Expression, options: CompileOptions): Evaluate<boolean> {
  const evaluate = compileExpression(node, options)
  if (typeOf(node) === 'boolean') {
    // NOT gives true with an error, which no other operator takes over.
    return evaluation => (evaluate(evaluation) as boolean) && evaluation.error === undefined
  }
  return evaluation => {
    const value = evaluate(evaluation)
    if (evaluation.error !== undefined) return false
    return toBoolean(value, evaluation)
  }
}

/** The left operand is cast to the type of the right one (§3.7). */
function compileEquality({ operator, left, right }: Binary, options: CompileOptions): Evaluate<boolean> {
  const equal = operator === '='
  const evaluateLeft = compileExpression(left, options)
  if (right.kind === 'literal') {
    const wanted = right.value
    return evaluation => {
      const value = evaluateLeft(evaluation)
      if (evaluation.error !== undefined) return false
      if (typeof value === typeof wanted) return (value === wanted) === equal
      const cast = castLike(value, wanted, evaluation)
      return evaluation.error === undefined && (cast === wanted) === equal
    }
  }
  const evaluateRight = compileExpression(right, options)
  return evaluation => {
    const value = evaluateLeft(evaluation)
    if (evaluation.error !== undefined) return false
    const wanted = evaluateRight(evaluation)
    if (evaluation.error !== undefined) return false
    const cast = castLike(value, wanted, evaluation)
    return evaluation.error === undefined && (cast === wanted) === equal
  }
}

function compileOrder(
  operator: ComparisonOperator,
  { left, right }: Binary,
  options: CompileOptions,
): Evaluate<boolean> {
  const [evaluateLeft, evaluateRight] = [compileInteger(left, options), compileInteger(right, options)]
  const compare = orders[operator as keyof typeof orders]
  return evaluation => {
    const x = evaluateLeft(evaluation)
    if (evaluation.error !== undefined) return false
    const y = evaluateRight(evaluation)
    return evaluation.error === undefined && compare(x, y)
  }
}

const orders = {
  '<': (x: number, y: number) => x < y,
  '<=': (x: number, y: number) => x <= y,
  '>': (x: number, y: number) => x > y,
  '>=': (x: number, y: number) => x >= y,
}

function compileArithmetic({ operator, left, right }: Binary, options: CompileOptions): Evaluate<number> {
  const [evaluateLeft, evaluateRight] = [compileInteger(left, options), compileInteger(right, options)]
  const calculate = arithmetic[operator as keyof typeof arithmetic]
  const divides = operator === '/' || operator === '%'
  return evaluation => {
    const x = evaluateLeft(evaluation)
    if (evaluation.error !== undefined) return 0
    const y = evaluateRight(evaluation)
    if (evaluation.error !== undefined) return 0
    if (divides && y === 0) {
      evaluation.fail('math', `${x} cannot be divided by 0`)
      return 0
    }
    return inRange(calculate(x, y), evaluation)
  }
}

/** Products of two integers of 32 bits that are beyond 2^53 are out of range, however they are rounded. */
const arithmetic = {
  '+': (x: number, y: number) => x + y,
  '-': (x: number, y: number) => x - y,
  '*': (x: number, y: number) => x * y,
  '/': (x: number, y: number) => Math.trunc(x / y),
  '%': (x: number, y: number) => x % y,
}

function inRange(value: number, evaluation: Evaluation): number {
  if (value >= -2147483648 && value <= 2147483647) return value === 0 ? 0 : value
  evaluation.fail('math', 'the result has more than 32 bits')
  return 0
}

function compileInteger(node: Expression, options: CompileOptions): Evaluate<number> {
  const evaluate = compileExpression(node, options)
  return evaluation => {
    const value = evaluate(evaluation)
    if (evaluation.error !== undefined) return 0
    return typeof value === 'number' ? value : toInteger(value, evaluation)
  }
}

function compileCall({ name, arguments: args }: Call, options: CompileOptions): Evaluate<CesqlValue> {
  const found = findFunction(name, args.length, options.withData)
  if (found === undefined)
    return evaluation => {
      evaluation.fail('missingFunction', `there is no function ${name} with ${args.length} arguments`)
      return false
    }
  const zero = found.returns === 'integer' ? 0 : found.returns === 'string' ? '' : false
  const { parameters } = found
  const evaluates = args.map(argument => compileExpression(argument, options))
  return evaluation => {
    const values: CesqlValue[] = []
    for (let index = 0; index < evaluates.length; index++) {
      const value = (evaluates[index] as Evaluate<CesqlValue>)(evaluation)
      if (evaluation.error !== undefined) return zero
      const type = parameters[Math.min(index, parameters.length - 1)]
      values.push(type === 'string' ? toText(value) : type === 'integer' ? toInteger(value, evaluation) : value)
      if (evaluation.error !== undefined) return zero
    }
    return found.call(values, evaluation)
  }
}

function typeOf(node: Expression): CesqlType {
  switch (node.kind) {
    case 'literal':
      return typeof node.value === 'number' ? 'integer' : (typeof node.value as 'boolean' | 'string')
    case 'exists':
    case 'not':
    case 'like':
    case 'in':
      return 'boolean'
    case 'negate':
      return 'integer'
    case 'binary':
      return ['+', '-', '*', '/', '%'].includes(node.operator) ? 'integer' : 'boolean'
    default:
      return 'any'
  }
}
