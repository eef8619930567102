import { parse as parseLossless } from 'lossless-json'

/**
 * JSON that keeps every digit (rest-api.md §1.4): a number that a double cannot hold is kept as text and written back
 * unchanged. Ordinary documents take the built-in parser; only a text with a long number or an exponent pays more.
 */

/** A number whose digits a double would change. Reads as that double where a number is needed. */
export class ExactNumber {
  readonly text: string
  constructor(text: string) {
    this.text = text
    exactNumbersSeen = true
  }
  valueOf(): number {
    return Number(this.text)
  }
  toJSON(): string {
    return mark + this.text
  }
}

/** Made anew in each process, so that no string from outside can pass for a marked number. */
const mark = `\u0001exact-${process.hrtime.bigint().toString(36)}${process.pid.toString(36)}:`
const quotedMark = JSON.stringify(mark).slice(1, -1)
const markedNumber = new RegExp(`"${quotedMark.replace(/\\/g, '\\\\')}([-+0-9.eE]+)"`, 'g')
let exactNumbersSeen = false

/** Finds what `JSON.parse` may round: 16 digits or more in a row (a point may stand between), or an exponent. */
const suspicious = /[0-9][0-9.]{15}|[0-9][eE][-+0-9]/

/** Parses JSON text; keys such as `__proto__` become plain data. Throws SyntaxError. */
export function parseJson(text: string): unknown {
  if (!suspicious.test(text) || !suspiciousOutsideStrings(text)) return JSON.parse(text) as unknown
  const plain = JSON.parse(text) as unknown
  return sameDigits(plain, text)
    ? plain
    : parseLossless(text, undefined, { parseNumber: exactNumber, onDuplicateKey: ({ newValue }) => newValue })
}

/** Compact JSON text with every digit as it came. */
export function stringifyJson(value: unknown): string {
  const text = JSON.stringify(value)
  if (!exactNumbersSeen || text === undefined || !text.includes(quotedMark)) return text
  return text.replace(markedNumber, '$1')
}

function exactNumber(text: string): number | ExactNumber {
  const value = Number(text)
  return String(value) === text ? value : new ExactNumber(text)
}

/** A string's own digits do not matter, and may be many. */
function suspiciousOutsideStrings(text: string): boolean {
  for (let at = 0; ;) {
    const quote = text.indexOf('"', at)
    if (suspicious.test(text.slice(at, quote < 0 ? text.length : quote))) return true
    if (quote < 0) return false
    at = stringEnd(text, quote) + 1
  }
}

function stringEnd(text: string, start: number): number {
  const first = text.indexOf('"', start + 1)
  if (first < 0) return text.length
  if (text[first - 1] !== '\\') return first
  for (let at = start + 1; at < text.length; at++) {
    const code = text.charCodeAt(at)
    if (code === 0x5c) at++
    else if (code === 0x22) return at
  }
  return text.length
}

/** Spares the slow parser where only a string looked like a number. */
function sameDigits(value: unknown, text: string): boolean {
  return JSON.stringify(value) === text
}
