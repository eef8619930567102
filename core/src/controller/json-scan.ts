import { bounds } from '../model/index.ts'

/** Checks of JSON text before it is parsed: depth and count first, and a message when parsing fails (rest-api.md §1.9). */

const quote = 0x22
const backslash = 0x5c
const tooDeep = `JSON input nested too deeply:JSON input was nested more deeply than the configured limit of maxNesting = ${bounds.http.jsonDepthMax}`
const tooMany = `JSON input has more than ${bounds.http.jsonTokensMax} values and keys`

/** Nothing, or why the text is refused unparsed. One pass over the bytes; strings are skipped. */
export function scanJson(bytes: Buffer): string | undefined {
  // Too short to reach either bound.
  if (bytes.length <= bounds.http.jsonDepthMax) return undefined
  let depth = 0
  let tokens = 1
  for (let at = 0; at < bytes.length; at++) {
    switch (bytes[at]) {
      case quote:
        at = stringEnd(bytes, at)
        break
      case 0x5b: // [
      case 0x7b: // {
        if (++depth > bounds.http.jsonDepthMax) return tooDeep
        tokens++
        break
      case 0x5d: // ]
      case 0x7d: // }
        depth--
        break
      case 0x2c: // ,
      case 0x3a: // :
        if (++tokens > bounds.http.jsonTokensMax) return tooMany
    }
  }
  return undefined
}

/** Index of the quote that ends the string which begins at `start`, or of the last byte. */
function stringEnd(bytes: Buffer, start: number): number {
  // Most strings have no quote in them; where one is escaped, there are likely many, and a call for each would be slow.
  const first = bytes.indexOf(quote, start + 1)
  if (first < 0) return bytes.length - 1
  if (bytes[first - 1] !== backslash) return first
  for (let at = start + 1; at < bytes.length; at++) {
    const code = bytes[at]
    if (code === backslash) at++
    else if (code === quote) return at
  }
  return bytes.length - 1
}

/** The message for text that is not JSON, in the words of OpenWhisk's parser; it ends in a line feed. Of a long line it
 *  shows what lies around the place. */
export function describeJsonError(bytes: Buffer): string {
  const error = new Finder(bytes).find()
  if (error === undefined) return 'invalid JSON'
  const { at, expected, stoppedAt } = error
  const lineStart = bytes.lastIndexOf(0x0a, at - 1) + 1
  const start = at === 0 ? 0 : lineStart
  const end = bytes.indexOf(0x0a, at)
  const shownPart = around(bytes, start, end < 0 ? bytes.length : end, at)
  let lineNumber = 1
  for (let i = 0; i < start; i++) if (bytes[i] === 0x0a) lineNumber++
  const column = at - start + 1
  const unexpected = stoppedAt >= bytes.length ? 'end-of-input' : `character '${characterAt(bytes, stoppedAt)}'`
  const place = `at input index ${at} (line ${lineNumber}, position ${column})`
  return `Unexpected ${unexpected} ${place}, expected ${expected}:\n${shownPart.text}\n${' '.repeat(shownPart.caret)}^\n`
}

/** The line from `start` to `end`, cut on either side if it is long; `caret` is how far in it `at` lies. */
function around(bytes: Buffer, start: number, end: number, at: number): { text: string; caret: number } {
  const reach = bounds.http.jsonErrorLineMax / 2
  const whole = end - start <= bounds.http.jsonErrorLineMax
  const from = whole ? start : characterStart(bytes, Math.max(start, at - reach))
  const to = whole ? end : characterStart(bytes, Math.min(end, at + reach))
  const head = from > start ? '…' : ''
  const tail = to < end ? '…' : ''
  return { text: head + shown(bytes.subarray(from, to).toString('utf8')) + tail, caret: head.length + at - from }
}

/** The place itself, or the end of the character in the middle of which it is. */
function characterStart(bytes: Buffer, at: number): number {
  let start = at
  while (start < bytes.length && start < at + 4 && ((bytes[start] ?? 0) & 0xc0) === 0x80) start++
  return start
}

function characterAt(bytes: Buffer, at: number): string {
  const code = bytes[at] ?? 0
  if (code < 0x20 || code === 0x7f) return `\\u${code.toString(16).padStart(4, '0')}`
  return String.fromCodePoint(
    bytes
      .subarray(at, at + 4)
      .toString('utf8')
      .codePointAt(0) ?? code,
  )
}

function shown(line: string): string {
  return line.replace(/[\u0000-\u001f\u007f-\u009f]/g, '?')
}

/** `at` is what the message points to, `stoppedAt` the byte that it shows: they differ within a misspelt word. */
type JsonError = { at: number; stoppedAt: number; expected: string }

/** Walks the text by the grammar to the first byte that breaks it. The depth was checked by `scanJson`. */
class Finder {
  readonly #bytes: Buffer
  #at = 0

  constructor(bytes: Buffer) {
    this.#bytes = bytes
  }

  find(): JsonError | undefined {
    try {
      this.#space()
      this.#value()
      if (this.#at < this.#bytes.length) this.#fail('end-of-input')
      return undefined
    } catch (error) {
      return error as JsonError
    }
  }

  #fail(expected: string, at = this.#at): never {
    // eslint-disable-next-line @typescript-eslint/only-throw-error -- a position, not an error that anybody logs
    throw { at, stoppedAt: this.#at, expected } satisfies JsonError
  }

  #space(): void {
    const bytes = this.#bytes
    let at = this.#at
    for (let code = bytes[at]; code === 0x20 || code === 0x0a || code === 0x0d || code === 0x09; code = bytes[at]) at++
    this.#at = at
  }

  #take(character: string): boolean {
    if (this.#bytes[this.#at] !== character.charCodeAt(0)) return false
    this.#at++
    return true
  }

  #need(character: string): void {
    if (!this.#take(character)) this.#fail(`'${character}'`)
  }

  #value(): void {
    const start = this.#at
    if (this.#take('{')) return this.#members()
    if (this.#take('[')) return this.#elements()
    for (const word of ['false', 'null', 'true']) {
      if (!this.#take(word.charAt(0))) continue
      if (![...word.slice(1)].every(letter => this.#take(letter))) this.#fail('JSON Value', start)
      return this.#space()
    }
    const code = this.#bytes[start] ?? 0
    if (code === quote) return this.#string()
    if (code === 0x2d || (code >= 0x30 && code <= 0x39)) return this.#number()
    this.#fail('JSON Value')
  }

  #members(): void {
    this.#space()
    if (!this.#take('}')) {
      do {
        this.#space()
        this.#string()
        this.#need(':')
        this.#space()
        this.#value()
      } while (this.#take(','))
      this.#need('}')
    }
    this.#space()
  }

  #elements(): void {
    this.#space()
    if (!this.#take(']')) {
      do {
        this.#space()
        this.#value()
      } while (this.#take(','))
      this.#need(']')
    }
    this.#space()
  }

  #number(): void {
    this.#take('-')
    if (!this.#take('0')) this.#digits()
    if (this.#take('.')) this.#digits()
    if (this.#take('e') || this.#take('E')) {
      if (!this.#take('-')) this.#take('+')
      this.#digits()
    }
    this.#space()
  }

  #digits(): void {
    const isDigit = () => {
      const code = this.#bytes[this.#at] ?? 0
      return code >= 0x30 && code <= 0x39
    }
    if (!isDigit()) this.#fail('DIGIT')
    while (isDigit()) this.#at++
  }

  #string(): void {
    this.#need('"')
    const bytes = this.#bytes
    let at = this.#at
    for (;;) {
      const code = bytes[at]
      if (code === undefined || code === quote || code < 0x20) break
      at++
      if (code !== backslash) continue
      const escaped = bytes[at]
      if (escaped === quote || escaped === 0x6e || escaped === backslash) at++
      else {
        this.#at = at
        this.#escape()
        at = this.#at
      }
    }
    this.#at = at
    this.#need('"')
    this.#space()
  }

  #escape(): void {
    const code = this.#bytes[this.#at]
    if (code === undefined || !'"\\/bfnrtu'.includes(String.fromCharCode(code))) this.#fail('JSON escape sequence')
    this.#at++
    if (code !== 0x75) return
    for (let digit = 0; digit < 4; digit++) {
      if (!/[0-9a-fA-F]/.test(String.fromCharCode(this.#bytes[this.#at] ?? 0))) this.#fail('hex digit')
      this.#at++
    }
  }
}
