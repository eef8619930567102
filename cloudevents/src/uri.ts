/** RFC 3986 syntax of URIs and URI references, without resolving or normalising them. */
import { isIPv6 } from 'node:net'

/** Whether `text` is a URI reference: a URI, or a relative one such as `/sensors/7` or `//host/path`. */
export function isUriReference(text: string): boolean {
  const colon = schemeColon(text)
  if (colon >= 0 && !isScheme(text, colon)) return false
  return isHierarchy(text, colon + 1)
}

/** Whether `text` is a URI with a scheme. */
export function isUri(text: string): boolean {
  const colon = schemeColon(text)
  return colon > 0 && isScheme(text, colon) && isHierarchy(text, colon + 1)
}

/** Index of a colon in the first segment, which can only end a scheme (§4.2), or -1. */
function schemeColon(text: string): number {
  for (let at = 0; at < text.length; at++) {
    const code = text.charCodeAt(at)
    if (code === COLON) return at
    if (isDelimiter(code)) return -1
  }
  return -1
}

function isScheme(text: string, end: number): boolean {
  return /^[A-Za-z][A-Za-z0-9+.-]*$/.test(text.slice(0, end))
}

/** Authority, path, query and fragment from `start` on. */
function isHierarchy(text: string, start: number): boolean {
  let path = start
  if (text.charCodeAt(path) === SLASH && text.charCodeAt(path + 1) === SLASH) {
    path += 2
    while (path < text.length && !isDelimiter(text.charCodeAt(path))) path++
    if (!isAuthority(text.slice(start + 2, path))) return false
  }
  const hash = text.indexOf('#', path)
  const end = hash < 0 ? text.length : hash
  return isMadeOf(pathCharacters, text, path, end) && isMadeOf(pathCharacters, text, end + 1, text.length)
}

function isAuthority(authority: string): boolean {
  const host = authority.indexOf('@') + 1
  if (host > 0 && !isMadeOf(userCharacters, authority, 0, host - 1)) return false
  if (authority.charCodeAt(host) === OPEN_BRACKET) {
    const close = authority.indexOf(']', host)
    return close > 0 && isAddress(authority.slice(host + 1, close)) && isPort(authority.slice(close + 1))
  }
  const colon = authority.indexOf(':', host)
  const end = colon < 0 ? authority.length : colon
  return isMadeOf(userCharacters, authority, host, end) && isPort(authority.slice(end))
}

function isPort(text: string): boolean {
  return text === '' || /^:[0-9]*$/.test(text)
}

/** What stands in brackets: an IPv6 address (without a zone) or an IPvFuture. */
function isAddress(literal: string): boolean {
  if (/^v[0-9a-f]+\.[A-Za-z0-9\-._~!$&'()*+,;=:]+$/i.test(literal)) return true
  return !literal.includes('%') && isIPv6(literal)
}

function isMadeOf(characters: Uint8Array, text: string, from: number, to: number): boolean {
  for (let at = from; at < to; at++) {
    const code = text.charCodeAt(at)
    if (code === PERCENT) {
      if (!isHex(text.charCodeAt(at + 1)) || !isHex(text.charCodeAt(at + 2))) return false
    } else if (characters[code] !== 1) return false
  }
  return true
}

const PERCENT = 0x25
const SLASH = 0x2f
const COLON = 0x3a
const OPEN_BRACKET = 0x5b

/** `/`, `?` or `#`: what ends a scheme's segment or an authority. */
function isDelimiter(code: number): boolean {
  return code === SLASH || code === 0x3f || code === 0x23
}

function isHex(code: number): boolean {
  return (code >= 0x30 && code <= 0x39) || ((code | 0x20) >= 0x61 && (code | 0x20) <= 0x66)
}

const letters = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz'
/** userinfo (§3.2.1): unreserved, sub-delims and the colon, apart from percent encoding. */
const userCharacters = table(`${letters}0123456789-._~!$&'()*+,;=:`)
/** Path, query and fragment (§3.3-3.5). */
const pathCharacters = table(`${letters}0123456789-._~!$&'()*+,;=:@/?`)

function table(characters: string): Uint8Array {
  const set = new Uint8Array(128)
  for (const character of characters) set[character.charCodeAt(0)] = 1
  return set
}
