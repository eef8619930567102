/**
 * Parses CESQL (CESQL 1.0 §2, §3.6). Precedence, strongest first: calls; NOT and minus; LIKE, EXISTS, IN; `* / %`; `+ -`;
 * comparisons; AND, OR and XOR, which are equal among themselves. Equal ones go from left to right.
 */
import { errorAt, type FilterError } from '../filter-error.ts'
import { filterLimits } from '../limits.ts'
import type { BinaryOperator, Expression } from './ast.ts'
import { parseLikePattern } from './like-pattern.ts'
import { childrenOf } from './walk.ts'
import { readToken, type Token } from './tokens.ts'

/** Throws FilterError with the place in the text. */
export function parseCesql(source: string): Expression {
  if (source.length > filterLimits.cesqlLengthMax)
    throw errorAt(
      source,
      filterLimits.cesqlLengthMax,
      `an expression has at most ${filterLimits.cesqlLengthMax} characters`,
    )
  return new Parser(source).parse()
}

const keywords = new Set(['AND', 'OR', 'XOR', 'NOT', 'LIKE', 'EXISTS', 'IN', 'TRUE', 'FALSE'])

const levels = {
  logic: 1,
  comparison: 2,
  additive: 3,
  multiplicative: 4,
  postfix: 5,
}

const operators: Readonly<Record<string, { readonly level: number; readonly operator: BinaryOperator }>> = {
  AND: { level: levels.logic, operator: 'AND' },
  OR: { level: levels.logic, operator: 'OR' },
  XOR: { level: levels.logic, operator: 'XOR' },
  '=': { level: levels.comparison, operator: '=' },
  '!=': { level: levels.comparison, operator: '!=' },
  '<>': { level: levels.comparison, operator: '!=' },
  '<': { level: levels.comparison, operator: '<' },
  '<=': { level: levels.comparison, operator: '<=' },
  '>': { level: levels.comparison, operator: '>' },
  '>=': { level: levels.comparison, operator: '>=' },
  '+': { level: levels.additive, operator: '+' },
  '-': { level: levels.additive, operator: '-' },
  '*': { level: levels.multiplicative, operator: '*' },
  '/': { level: levels.multiplicative, operator: '/' },
  '%': { level: levels.multiplicative, operator: '%' },
}

class Parser {
  readonly #source: string
  #token: Token
  #depth = 0
  #nodes = 0
  /** Levels of nodes from a node down. */
  readonly #levels = new Map<Expression, number>()

  constructor(source: string) {
    this.#source = source
    this.#token = readToken(source, 0)
  }

  parse(): Expression {
    const expression = this.#expression(levels.logic)
    if (this.#token.kind !== 'end') throw this.#unexpected('the end, or an operator')
    return expression
  }

  /** An expression whose operators bind at least as strongly as `level`. */
  #expression(level: number): Expression {
    this.#enter()
    let left = this.#unary()
    for (;;) {
      const token = this.#token
      if (token.kind === 'word' && ['NOT', 'LIKE', 'IN'].includes(token.text)) {
        left = this.#postfix(left)
        continue
      }
      const found = token.kind === 'word' || token.kind === 'sign' ? operatorOf(token.text) : undefined
      if (found === undefined || found.level < level) break
      this.#next()
      const right = this.#expression(found.level + 1)
      left = this.#node({ kind: 'binary', operator: found.operator, left, right, start: left.start, end: right.end })
    }
    this.#depth--
    return left
  }

  #unary(): Expression {
    const token = this.#token
    if (token.kind === 'word' && token.text === 'NOT') {
      this.#next()
      const operand = this.#nested()
      return this.#node({ kind: 'not', operand, start: token.start, end: operand.end })
    }
    if (token.kind === 'sign' && (token.text === '-' || token.text === '+')) {
      this.#next()
      // The sign of a literal is part of it: -2147483648 is one, 2147483648 is none.
      if (this.#token.kind === 'number' && this.#token.start === token.end) return this.#integer(token)
      if (token.text === '+') throw this.#unexpected('digits')
      const operand = this.#nested()
      return this.#node({ kind: 'negate', operand, start: token.start, end: operand.end })
    }
    return this.#primary()
  }

  #nested(): Expression {
    this.#enter()
    const operand = this.#unary()
    this.#depth--
    return operand
  }

  #primary(): Expression {
    const token = this.#token
    if (token.kind === 'number') return this.#integer()
    if (token.kind === 'string') {
      this.#next()
      return this.#node({ kind: 'literal', value: token.text, start: token.start, end: token.end })
    }
    if (token.kind === 'sign' && token.text === '(') {
      this.#next()
      const inner = this.#expression(levels.logic)
      const { end } = this.#token
      this.#expect(')')
      const bracketed = { ...inner, start: token.start, end }
      this.#levels.set(bracketed, this.#levels.get(inner) ?? 1)
      return bracketed
    }
    if (token.kind === 'word') return this.#word(token)
    throw this.#unexpected('a value')
  }

  #word(token: Token): Expression {
    const { start } = token
    if (token.text === 'TRUE' || token.text === 'FALSE') {
      this.#next()
      return this.#node({ kind: 'literal', value: token.text === 'TRUE', start, end: token.end })
    }
    if (token.text === 'EXISTS') {
      this.#next()
      const name = this.#token
      this.#next()
      return this.#node({ kind: 'exists', name: this.#attributeName(name), start, end: name.end })
    }
    if (keywords.has(token.text)) throw this.#unexpected('a value')
    this.#next()
    if (this.#token.kind === 'sign' && this.#token.text === '(') return this.#call(token)
    return this.#node({ kind: 'attribute', name: this.#attributeName(token), start, end: token.end })
  }

  #attributeName(token: Token): string {
    const digits = token.kind === 'number'
    if ((token.kind !== 'word' && !digits) || keywords.has(token.text))
      throw this.#unexpected('the name of an attribute', token)
    if (token.text.includes('_'))
      throw this.#error(`${this.#written(token)} is no name of an attribute: those have letters and digits`, token)
    return token.text.toLowerCase()
  }

  #call(name: Token): Expression {
    if (!/^[A-Z][A-Z_]*$/.test(name.text))
      throw this.#error(`${this.#written(name)} is no name of a function: those have letters and underscores`, name)
    this.#next()
    const args: Expression[] = []
    if (!this.#at(')')) {
      args.push(this.#expression(levels.logic))
      while (this.#at(',')) {
        this.#next()
        args.push(this.#expression(levels.logic))
      }
    }
    const { end } = this.#token
    this.#expect(')')
    return this.#node({ kind: 'call', name: name.text, arguments: args, start: name.start, end })
  }

  /** `NOT`? `LIKE` or `IN` behind an operand. */
  #postfix(operand: Expression): Expression {
    const { start } = operand
    const negated = this.#token.text === 'NOT'
    if (negated) this.#next()
    if (this.#token.kind === 'word' && this.#token.text === 'LIKE') {
      this.#next()
      const pattern = this.#token
      if (pattern.kind !== 'string') throw this.#unexpected('a text in quotes')
      const glob = parseLikePattern(pattern.text)
      if (typeof glob === 'string') throw this.#error(glob, pattern)
      this.#next()
      return this.#node({ kind: 'like', operand, pattern: pattern.text, glob, negated, start, end: pattern.end })
    }
    if (this.#token.kind !== 'word' || this.#token.text !== 'IN') throw this.#unexpected('LIKE or IN')
    this.#next()
    this.#expect('(')
    const set = [this.#expression(levels.logic)]
    while (this.#at(',')) {
      this.#next()
      set.push(this.#expression(levels.logic))
    }
    const { end } = this.#token
    this.#expect(')')
    return this.#node({ kind: 'in', operand, set, negated, start, end })
  }

  #integer(sign?: Token): Expression {
    const token = this.#token
    const value = Number(`${sign?.text ?? ''}${token.text}`)
    if (value < -2147483648 || value > 2147483647) throw this.#error('integers have 32 bits', sign ?? token)
    this.#next()
    return this.#node({ kind: 'literal', value: value === 0 ? 0 : value, start: (sign ?? token).start, end: token.end })
  }

  #next(): void {
    this.#token = readToken(this.#source, this.#token.end)
  }

  #at(sign: string): boolean {
    return this.#token.kind === 'sign' && this.#token.text === sign
  }

  #expect(sign: string): void {
    if (!this.#at(sign)) throw this.#unexpected(`"${sign}"`)
    this.#next()
  }

  #enter(): void {
    if (++this.#depth > filterLimits.cesqlDepthMax)
      throw this.#error(`an expression is nested at most ${filterLimits.cesqlDepthMax} deep`, this.#token)
  }

  #node<T extends Expression>(node: T): T {
    if (++this.#nodes > filterLimits.cesqlNodesMax)
      throw this.#error(`an expression has at most ${filterLimits.cesqlNodesMax} parts`, this.#token)
    const level = 1 + Math.max(0, ...childrenOf(node).map(child => this.#levels.get(child) ?? 1))
    if (level > filterLimits.cesqlLevelsMax)
      throw this.#error(`an expression has at most ${filterLimits.cesqlLevelsMax} operators in a row`, this.#token)
    this.#levels.set(node, level)
    return node
  }

  #unexpected(wanted: string, token: Token = this.#token): FilterError {
    return this.#error(`${this.#written(token)} stands where ${wanted} is expected`, token)
  }

  #written({ kind, start, end }: Token): string {
    if (kind === 'end') return 'the end'
    const text = this.#source.slice(start, Math.min(end, start + 40))
    return JSON.stringify(text.length < end - start ? `${text}...` : text)
  }

  #error(reason: string, token: Token): FilterError {
    return errorAt(this.#source, token.start, reason)
  }
}

function operatorOf(text: string): { readonly level: number; readonly operator: BinaryOperator } | undefined {
  return Object.hasOwn(operators, text) ? operators[text] : undefined
}
