/** The built-in functions (CESQL 1.0 §3.5) and Sluice's DATA. */
import type { Evaluation } from '../evaluation.ts'
import { shown } from '../filter-error.ts'
import type { CesqlType, CesqlValue } from './ast.ts'
import { toBoolean, toInteger, toText } from './cast.ts'
import { readPointer } from './data-pointer.ts'

export type CesqlFunction = {
  readonly returns: CesqlType
  /** Types of the arguments; of a variadic function the last one is of all that follow. */
  readonly parameters: readonly CesqlType[]
  readonly variadic?: true
  call(args: readonly CesqlValue[], evaluation: Evaluation): CesqlValue
}

/** The function of a name in capitals and a number of arguments. */
export function findFunction(name: string, arity: number, withData: boolean): CesqlFunction | undefined {
  if (name === 'DATA' && !withData) return undefined
  const overloads = Object.hasOwn(functions, name) ? functions[name] : undefined
  return overloads?.find(({ parameters, variadic }) =>
    variadic ? arity >= parameters.length - 1 : arity === parameters.length,
  )
}

const functions: Readonly<Record<string, readonly CesqlFunction[]>> = {
  INT: [{ returns: 'integer', parameters: ['any'], call: ([x], evaluation) => toInteger(x as CesqlValue, evaluation) }],
  BOOL: [
    { returns: 'boolean', parameters: ['any'], call: ([x], evaluation) => toBoolean(x as CesqlValue, evaluation) },
  ],
  STRING: [{ returns: 'string', parameters: ['any'], call: ([x]) => toText(x as CesqlValue) }],
  ABS: [{ returns: 'integer', parameters: ['integer'], call: absolute }],
  LENGTH: [{ returns: 'integer', parameters: ['string'], call: length }],
  CONCAT: [{ returns: 'string', parameters: ['string'], variadic: true, call: concatenate }],
  CONCAT_WS: [{ returns: 'string', parameters: ['string', 'string'], variadic: true, call: concatenateWith }],
  LOWER: [{ returns: 'string', parameters: ['string'], call: onText(text => text.toLowerCase()) }],
  UPPER: [{ returns: 'string', parameters: ['string'], call: onText(text => text.toUpperCase()) }],
  TRIM: [{ returns: 'string', parameters: ['string'], call: onText(trim) }],
  LEFT: [{ returns: 'string', parameters: ['string', 'integer'], call: left }],
  RIGHT: [{ returns: 'string', parameters: ['string', 'integer'], call: right }],
  SUBSTRING: [
    { returns: 'string', parameters: ['string', 'integer'], call: substring },
    { returns: 'string', parameters: ['string', 'integer', 'integer'], call: substring },
  ],
  DATA: [
    {
      returns: 'any',
      parameters: ['string'],
      call: ([pointer], evaluation) => readPointer(pointer as string, evaluation),
    },
  ],
}

function absolute([x]: readonly CesqlValue[], evaluation: Evaluation): number {
  if (x !== -2147483648) return Math.abs(x as number)
  evaluation.fail('math', 'the absolute value of -2147483648 has more than 32 bits')
  return 2147483647
}

function onText(change: (text: string) => string): CesqlFunction['call'] {
  return ([x], evaluation) => (evaluation.charge((x as string).length) ? change(x as string) : '')
}

function length([x]: readonly CesqlValue[], evaluation: Evaluation): number {
  const text = x as string
  return evaluation.charge(text.length) ? charactersOf(text).length : 0
}

function concatenate(texts: readonly CesqlValue[], evaluation: Evaluation): string {
  return join(texts as readonly string[], '', evaluation)
}

function concatenateWith([delimiter, ...texts]: readonly CesqlValue[], evaluation: Evaluation): string {
  return join(texts as readonly string[], delimiter as string, evaluation)
}

function join(texts: readonly string[], delimiter: string, evaluation: Evaluation): string {
  const characters = texts.reduce((sum, text) => sum + text.length + delimiter.length, 0)
  return evaluation.charge(characters) ? texts.join(delimiter) : ''
}

/** Without white space of Unicode around it, which is not what `String.trim` takes for it. */
function trim(text: string): string {
  let start = 0
  let end = text.length
  while (start < end && isSpace(text[start] as string)) start++
  while (end > start && isSpace(text[end - 1] as string)) end--
  return text.slice(start, end)
}

function isSpace(character: string): boolean {
  return character === ' ' || /\p{White_Space}/u.test(character)
}

function left([x, count]: readonly CesqlValue[], evaluation: Evaluation): string {
  const text = x as string
  if ((count as number) < 0) return refuse('LEFT', count as number, text, evaluation)
  return evaluation.charge(text.length) ? slice(charactersOf(text), 0, count as number) : ''
}

function right([x, count]: readonly CesqlValue[], evaluation: Evaluation): string {
  const text = x as string
  if ((count as number) < 0) return refuse('RIGHT', count as number, text, evaluation)
  if (!evaluation.charge(text.length)) return ''
  const characters = charactersOf(text)
  return slice(characters, Math.max(0, characters.length - (count as number)), characters.length)
}

/** Positions count from 1, from the end if negative; 0 gives nothing. */
function substring([x, position, count]: readonly CesqlValue[], evaluation: Evaluation): string {
  const text = x as string
  if (!evaluation.charge(text.length)) return ''
  const characters = charactersOf(text)
  const from = position as number
  if (from > characters.length || from < -characters.length || (count !== undefined && (count as number) < 0))
    return refuse('SUBSTRING', count !== undefined && (count as number) < 0 ? (count as number) : from, '', evaluation)
  if (from === 0) return ''
  const start = from > 0 ? from - 1 : characters.length + from
  return slice(characters, start, count === undefined ? characters.length : start + (count as number))
}

function refuse(name: string, number: number, result: string, evaluation: Evaluation): string {
  evaluation.fail('functionEvaluation', `${name} cannot be called with ${shown(number)}`)
  return result
}

/** Characters of Unicode: the text itself while each is one unit. */
function charactersOf(text: string): string | readonly string[] {
  return /[\ud800-\udbff][\udc00-\udfff]/.test(text) ? Array.from(text) : text
}

function slice(characters: string | readonly string[], start: number, end: number): string {
  return typeof characters === 'string' ? characters.slice(start, end) : characters.slice(start, end).join('')
}
