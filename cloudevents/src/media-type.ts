/** Media types as CloudEvents needs them: is it one, does it declare JSON or text, in which charset. */

export type MediaType = {
  /** `type/subtype`, lower case. */
  readonly essence: string
  /** Parameter `charset`, lower case. */
  readonly charset: string | undefined
}

const json: MediaType = { essence: 'application/json', charset: undefined }

/** Type, subtype and charset (RFC 2046 in the grammar of RFC 9110 §8.3.1), or nothing when `text` is no media type. */
export function parseMediaType(text: string): MediaType | undefined {
  if (text === 'application/json') return json
  const slash = tokenEnd(text, 0)
  if (slash === 0 || text.charCodeAt(slash) !== SLASH) return undefined
  const end = tokenEnd(text, slash + 1)
  if (end === slash + 1) return undefined
  let charset: string | undefined
  let at = blankEnd(text, end)
  while (at < text.length) {
    if (text.charCodeAt(at) !== SEMICOLON) return undefined
    const name = blankEnd(text, at + 1)
    const equals = tokenEnd(text, name)
    at = equals
    // A semicolon without a parameter is allowed (RFC 9110 §5.6.6).
    if (equals > name) {
      if (text.charCodeAt(equals) !== EQUALS) return undefined
      const value = equals + 1
      const quoted = text.charCodeAt(value) === QUOTE
      at = quoted ? quotedEnd(text, value) : tokenEnd(text, value)
      if (at <= value) return undefined
      if (charset === undefined && text.slice(name, equals).toLowerCase() === 'charset') {
        charset = (quoted ? text.slice(value + 1, at - 1) : text.slice(value, at)).toLowerCase()
      }
    }
    at = blankEnd(text, at)
  }
  return { essence: text.slice(0, end).toLowerCase(), charset }
}

/** Whether the type declares JSON content: subtype `json` or `…+json` (JSON format §3.1). */
export function isJsonType(datacontenttype: string): boolean {
  const essence = parseMediaType(datacontenttype)?.essence
  return essence !== undefined && (essence.endsWith('/json') || essence.endsWith('+json'))
}

/** Whether bytes of this type are meant to be read as UTF-8 text. */
export function isTextType(datacontenttype: string): boolean {
  const type = parseMediaType(datacontenttype)
  if (type === undefined || !isUtf8Charset(type.charset)) return false
  const { essence } = type
  return essence.startsWith('text/') || essence.endsWith('/xml') || essence.endsWith('+xml') || essence === formType
}

/** No charset, UTF-8, or its subset ASCII. */
export function isUtf8Charset(charset: string | undefined): boolean {
  return charset === undefined || charset === 'utf-8' || charset === 'utf8' || charset === 'us-ascii'
}

const formType = 'application/x-www-form-urlencoded'

const SLASH = 0x2f
const SEMICOLON = 0x3b
const EQUALS = 0x3d
const QUOTE = 0x22
const BACKSLASH = 0x5c

/** Characters of a token (RFC 9110 §5.6.2). */
const tokenCharacters = new Uint8Array(128)
for (const character of "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789!#$%&'*+-.^_`|~") {
  tokenCharacters[character.charCodeAt(0)] = 1
}

function tokenEnd(text: string, from: number): number {
  let at = from
  while (tokenCharacters[text.charCodeAt(at)] === 1) at++
  return at
}

function blankEnd(text: string, from: number): number {
  let at = from
  while (text.charCodeAt(at) === 0x20 || text.charCodeAt(at) === 0x09) at++
  return at
}

/** Index after the closing quote of a quoted string of printable ASCII, or -1. */
function quotedEnd(text: string, from: number): number {
  for (let at = from + 1; at < text.length; at++) {
    const code = text.charCodeAt(at)
    if (code === QUOTE) return at + 1
    if (code === BACKSLASH) at++
    if (!isPrintable(text.charCodeAt(at))) return -1
  }
  return -1
}

function isPrintable(code: number): boolean {
  return code >= 0x20 && code <= 0x7e
}
