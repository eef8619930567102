/** Attribute values in HTTP headers (HTTP binding §3.1.3.2): percent-coded UTF-8 on top of quoted strings. */
import { CloudEventError } from '../../error.ts'

/** Encodes blank, `"`, `%` and everything outside U+0021-U+007E, with upper-case hex; the rest stays. */
export function encodeHeaderValue(value: string): string {
  for (let at = 0; at < value.length; at++) {
    const code = value.charCodeAt(at)
    if (code > 0x7e || code <= 0x22 || code === 0x25) {
      if (code !== 0x21) return wellFormed(value).replace(/[^!#$&-~]+/gu, encodeURIComponent)
    }
  }
  return value
}

/**
 * The value behind a header: unquoted, then percent-decoded once. A percent sign without two hex digits and a quote that
 * is not closed stay as they are, as old senders wrote them. Throws CloudEventError `utf8` for `attribute` when encoded
 * bytes are no UTF-8.
 */
export function decodeHeaderValue(value: string, attribute: string): string {
  const text = value.charCodeAt(0) === QUOTE ? unquote(value) : value
  if (!text.includes('%')) return text
  try {
    return decodeURIComponent(text)
  } catch {
    return decodeTolerantly(text, attribute)
  }
}

const QUOTE = 0x22
const BACKSLASH = 0x5c

/** Half a surrogate pair has no UTF-8; events have none, but this function may be used on other text. */
function wellFormed(text: string): string {
  return text.replace(/\p{Surrogate}/gu, '\ufffd')
}

/** The content of a quoted string (RFC 9110 §5.6.4); anything else as it is. */
function unquote(value: string): string {
  let text = ''
  let from = 1
  for (let at = 1; at < value.length; at++) {
    const code = value.charCodeAt(at)
    if (code === QUOTE) return at === value.length - 1 ? text + value.slice(from, at) : value
    if (code === BACKSLASH) {
      text += value.slice(from, at)
      from = ++at
    }
  }
  return value
}

function decodeTolerantly(text: string, attribute: string): string {
  try {
    return decodeURIComponent(text.replace(/%(?![0-9a-f]{2})/gi, '%25'))
  } catch {
    throw new CloudEventError(attribute, 'utf8', { detail: 'its percent-encoded bytes are not' })
  }
}
