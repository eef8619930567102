/** Finds the exact text of a member or of elements in JSON that JSON.parse has accepted, to keep the spelling of numbers. */

/** Start (inclusive) and end (exclusive) of a value in the text. */
export type Span = readonly [start: number, end: number]

/** The text span of member `name` of the object that starts at `from`; of doubled names the last, as JSON.parse takes it. */
export function memberSpan(text: string, name: string, from = 0): Span | undefined {
  let found: Span | undefined
  let at = blankEnd(text, blankEnd(text, from) + 1)
  while (text.charCodeAt(at) === QUOTE) {
    const keyEnd = stringEnd(text, at)
    const isMember = isString(text, at, keyEnd, name)
    const start = blankEnd(text, blankEnd(text, keyEnd) + 1)
    const end = valueEnd(text, start)
    if (isMember) found = [start, end]
    at = nextItem(text, end)
  }
  return found
}

/** How many levels of objects and arrays the text has from `from` to `end`: 0 for a scalar. */
export function depthOf(text: string, from = 0, end = text.length): number {
  let depth = 0
  let deepest = 0
  let at = from
  while (at < end) {
    const code = text.charCodeAt(at)
    if (code === QUOTE) {
      at = stringEnd(text, at)
      continue
    }
    if (code === OPEN_OBJECT || code === OPEN_ARRAY) deepest = Math.max(deepest, ++depth)
    else if (code === CLOSE_OBJECT || code === CLOSE_ARRAY) depth--
    at++
  }
  return deepest
}

/** Where the elements of the array that starts at `from` start. */
export function elementStarts(text: string, from = 0): number[] {
  const starts: number[] = []
  let at = blankEnd(text, blankEnd(text, from) + 1)
  if (text.charCodeAt(at) === CLOSE_ARRAY) return starts
  while (at < text.length) {
    starts.push(at)
    at = nextItem(text, valueEnd(text, at))
  }
  return starts
}

const QUOTE = 0x22
const COMMA = 0x2c
const BACKSLASH = 0x5c
const OPEN_ARRAY = 0x5b
const CLOSE_ARRAY = 0x5d
const OPEN_OBJECT = 0x7b
const CLOSE_OBJECT = 0x7d

function blankEnd(text: string, from: number): number {
  let at = from
  while (text.charCodeAt(at) <= 0x20) at++
  return at
}

/** After the comma that follows a value, or the end of the text when the closing bracket follows. */
function nextItem(text: string, from: number): number {
  const at = blankEnd(text, from)
  return text.charCodeAt(at) === COMMA ? blankEnd(text, at + 1) : text.length
}

/** Most strings are short: a loop is quicker than a search. */
function stringEnd(text: string, from: number): number {
  let at = from + 1
  for (let code = text.charCodeAt(at); code !== QUOTE; code = text.charCodeAt(at)) {
    if (code === BACKSLASH) at++
    // Only what JSON.parse has accepted comes here, so that a quote follows; without one NaN would never end.
    if (++at > text.length) return text.length
  }
  return at + 1
}

/** Whether the string literal spells `name`, with or without escapes. */
function isString(text: string, start: number, end: number, name: string): boolean {
  if (end - start === name.length + 2) return text.startsWith(name, start + 1)
  const literal = text.slice(start, end)
  return literal.includes('\\') && JSON.parse(literal) === name
}

function valueEnd(text: string, from: number): number {
  let depth = 0
  let at = from
  do {
    const code = text.charCodeAt(at)
    if (code === QUOTE) at = stringEnd(text, at)
    else if (code === OPEN_OBJECT || code === OPEN_ARRAY) {
      depth++
      at++
    } else if (code === CLOSE_OBJECT || code === CLOSE_ARRAY) {
      depth--
      at++
    } else if (depth === 0) return scalarEnd(text, at)
    else at++
  } while (depth > 0)
  return at
}

function scalarEnd(text: string, from: number): number {
  let at = from
  while (at < text.length && !endsScalar(text.charCodeAt(at))) at++
  return at
}

function endsScalar(code: number): boolean {
  return code <= 0x20 || code === COMMA || code === CLOSE_ARRAY || code === CLOSE_OBJECT
}
