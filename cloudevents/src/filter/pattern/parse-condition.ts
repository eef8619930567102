/** One condition in the list of a field: a value, or an object with one key such as `{"prefix": "a"}`. */
import { errorAt, FilterError, pointerStep, shown } from '../filter-error.ts'
import { filterLimits } from '../limits.ts'
import { parseCidr } from '../text/cidr.ts'
import { simplify, type Glob } from '../text/glob.ts'
import type { ValueTest } from '../value-test.ts'

/** A test, or `absent` for `{"exists": false}`. Throws FilterError. */
export function parseCondition(condition: unknown, path: string): ValueTest | 'absent' {
  if (condition === null || typeof condition === 'boolean' || typeof condition === 'string')
    return { op: 'equals', value: condition }
  if (typeof condition === 'number') return { op: 'equals', value: finite(condition, path) }
  if (typeof condition !== 'object' || Array.isArray(condition))
    throw new FilterError(`${shown(condition)} is no value to compare with`, { path })
  const [name, argument] = onlyMember(condition, path)
  const at = path + pointerStep(name)
  switch (name) {
    case 'exactly':
      return { op: 'equals', value: text(argument, at) }
    case 'prefix':
    case 'suffix':
      return isObject(argument)
        ? { op: `${name}Folded`, value: text(ignoringCase(argument, at), at) }
        : { op: name, value: text(argument, at) }
    case 'equals-ignore-case':
      return { op: 'equalsFolded', value: text(argument, at) }
    case 'wildcard':
      return wildcard(text(argument, at), at)
    case 'anything-but':
      return { op: 'but', tests: parseExcluded(argument, at) }
    case 'numeric':
      return parseNumeric(argument, at)
    case 'exists':
      if (typeof argument !== 'boolean') throw new FilterError('must be true or false', { path: at })
      return argument ? { op: 'exists' } : 'absent'
    case 'cidr': {
      const range = text(argument, at)
      const cidr = parseCidr(range)
      if (typeof cidr === 'string') throw new FilterError(cidr, { path: at })
      return { op: 'cidr', cidr, text: range }
    }
    default:
      throw new FilterError(`${shown(name)} is no condition that is known`, { path: at })
  }
}

function ignoringCase(argument: object, path: string): unknown {
  const [name, value] = onlyMember(argument, path)
  if (name !== 'equals-ignore-case')
    throw new FilterError(`only "equals-ignore-case" may stand in here, not ${shown(name)}`, { path })
  return value
}

function parseExcluded(argument: unknown, path: string): ValueTest[] {
  if (isObject(argument)) {
    const [name, values] = onlyMember(argument, path)
    const at = path + pointerStep(name)
    return list(values, at).map((value, index) => {
      const place = Array.isArray(values) ? at + pointerStep(index) : at
      const operand = text(value, place)
      switch (name) {
        case 'prefix':
        case 'suffix':
          if (operand === '') throw new FilterError('must not be empty', { path: place })
          return { op: name, value: operand }
        case 'equals-ignore-case':
          return { op: 'equalsFolded', value: operand }
        case 'wildcard':
          return wildcard(operand, place)
        default:
          throw new FilterError(`"anything-but" does not know ${shown(name)}`, { path: at })
      }
    })
  }
  const values = list(argument, path)
  const kind = typeof values[0]
  if ((kind !== 'string' && kind !== 'number') || values.some(value => typeof value !== kind))
    throw new FilterError('must be a text, a number, or a list of only texts or only numbers', { path })
  return values.map(value => ({ op: 'equals', value: value as string | number }))
}

/** One value or a list that has some. */
function list(values: unknown, path: string): unknown[] {
  if (!Array.isArray(values)) return [values]
  if (values.length === 0) throw new FilterError('must not be empty', { path })
  return values
}

const operators = ['=', '<', '<=', '>', '>=']

function parseNumeric(argument: unknown, path: string): ValueTest {
  if (!Array.isArray(argument) || argument.length === 0)
    throw new FilterError('must be a list such as [">", 0, "<=", 5]', { path })
  const [operator, value, operator2, value2] = argument as unknown[]
  if (typeof operator !== 'string' || !operators.includes(operator))
    throw new FilterError(`${shown(operator)} is not one of ${operators.join(' ')}`, { path: `${path}/0` })
  const bound = number(value, `${path}/1`)
  if (argument.length === 2) {
    if (operator === '=') return { op: 'equals', value: bound }
    return operator.startsWith('>')
      ? { op: 'range', low: bound, lowOpen: operator === '>', high: Infinity, highOpen: true }
      : { op: 'range', low: -Infinity, lowOpen: true, high: bound, highOpen: operator === '<' }
  }
  if (argument.length !== 4 || !operator.startsWith('>'))
    throw new FilterError('must be one comparison, or two, of which the first has > or >=', { path })
  if (operator2 !== '<' && operator2 !== '<=')
    throw new FilterError(`${shown(operator2)} must be < or <= here`, { path: `${path}/2` })
  const high = number(value2, `${path}/3`)
  if (bound >= high) throw new FilterError('must have its lower bound first', { path })
  return { op: 'range', low: bound, lowOpen: operator === '>', high, highOpen: operator2 === '<' }
}

/** `*` spans anything; `\*` and `\\` are the only escapes. */
function wildcard(pattern: string, path: string): ValueTest {
  if (pattern.length > filterLimits.globLengthMax)
    throw new FilterError(`must have at most ${filterLimits.globLengthMax} characters`, { path })
  const pieces: string[][] = [[]]
  const characters = Array.from(pattern)
  for (let index = 0, offset = 0; index < characters.length; index++) {
    let character = characters[index] as string
    const place = offset
    offset += character.length
    if (character === '*') {
      if (characters[index + 1] === '*') throw errorAt(pattern, place, 'must not have two * in a row', path)
      pieces.push([])
      continue
    }
    if (character === '\\') {
      character = characters[++index] ?? ''
      offset += character.length
      if (character !== '*' && character !== '\\')
        throw errorAt(pattern, place, 'must have \\ only before * and \\', path)
    }
    ;(pieces.at(-1) as string[]).push(character)
  }
  const glob: Glob = { pieces }
  const simple = simplify(glob)
  return simple.op === 'glob' ? { op: 'glob', glob, text: pattern } : simple
}

function onlyMember(condition: object, path: string): [string, unknown] {
  const members = Object.entries(condition)
  const [only] = members
  if (only === undefined || members.length > 1) throw new FilterError('must have exactly one key', { path })
  return only
}

function isObject(value: unknown): value is object {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

function text(value: unknown, path: string): string {
  if (typeof value !== 'string') throw new FilterError('must be a text', { path })
  return value
}

function number(value: unknown, path: string): number {
  if (typeof value !== 'number') throw new FilterError('must be a number', { path })
  return finite(value, path)
}

/** JSON has numbers beyond doubles, which read as infinite. */
function finite(value: number, path: string): number {
  if (!Number.isFinite(value)) throw new FilterError('is a number that is too large', { path })
  return value
}
