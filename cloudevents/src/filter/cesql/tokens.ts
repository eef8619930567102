/** Cuts the text of a CESQL expression into tokens (CESQL 1.0 §2). */
import { errorAt } from '../filter-error.ts'

export type Token = {
  /** `word`: name or keyword; `sign`: operator, bracket or comma; `end`: behind the last one. */
  readonly kind: 'word' | 'number' | 'string' | 'sign' | 'end'
  /** As written; of a string its value; of a word in capitals. */
  readonly text: string
  readonly start: number
  readonly end: number
}

const signs = ['<=', '>=', '<>', '!=', '=', '<', '>', '+', '-', '*', '/', '%', '(', ')', ',']

/** Throws FilterError at the first character that cannot be part of an expression. */
export function readToken(source: string, from: number): Token {
  let start = from
  while (start < source.length && ' \t\r\n'.includes(source[start] as string)) start++
  const first = source[start]
  if (first === undefined) return { kind: 'end', text: '', start, end: start }
  if (first === "'" || first === '"') return readString(source, start)
  if (/[A-Za-z0-9]/.test(first)) return readWord(source, start)
  const sign = signs.find(one => source.startsWith(one, start))
  if (sign === undefined)
    throw errorAt(
      source,
      start,
      `${JSON.stringify(String.fromCodePoint(source.codePointAt(start) as number))} is no part of an expression`,
    )
  return { kind: 'sign', text: sign, start, end: start + sign.length }
}

function readWord(source: string, start: number): Token {
  const word = /[A-Za-z0-9_]*/y
  word.lastIndex = start
  const text = word.exec(source)?.[0] ?? ''
  const kind = /^[0-9]+$/.test(text) ? 'number' : 'word'
  return { kind, text: text.toUpperCase(), start, end: start + text.length }
}

/** A backslash before the delimiter makes it a character; every other backslash stays for LIKE, or for itself. */
function readString(source: string, start: number): Token {
  const quote = source[start] as string
  let text = ''
  let from = start + 1
  for (let at = from; at < source.length; at++) {
    const character = source[at]
    if (character === quote) {
      return { kind: 'string', text: text + source.slice(from, at), start, end: at + 1 }
    }
    if (character === '\\' && at + 1 < source.length) {
      if (source[at + 1] === quote) {
        text += source.slice(from, at)
        from = at + 1
      }
      at++
    }
  }
  throw errorAt(source, start, `the text that begins here has no closing ${quote}`)
}
