/**
 * Keys of the database: parts joined by `!`, compared as UTF-8 bytes. The layout of all keys is in
 * docs/decisions/0002-embedded-backend.md.
 */
const digits = 1e15

/** Joins the parts; a `!` within a part is escaped, so that no name reaches into another's range. */
export function keyOf(...parts: readonly string[]): string {
  let key = part(parts[0] ?? '')
  for (let at = 1; at < parts.length; at++) key += `!${part(parts[at] ?? '')}`
  return key
}

/** Where the keys below a prefix end: nothing that is stored sorts behind it. */
export function endOf(prefix: string): string {
  return `${prefix}\u{10ffff}`
}

/** 15 digits, in the order of the numbers (0 to 10^15 - 1). */
export function ascending(value: number): string {
  return String(digits + value).slice(1)
}

/** 15 digits, the greatest number first. */
export function descending(value: number): string {
  return String(digits + digits - 1 - value).slice(1)
}

export function fromDescending(text: string): number {
  return digits - 1 - Number(text)
}

/** A time as a number that the keys can hold. */
export function clampMs(ms: number): number {
  return Math.min(Math.max(Math.trunc(ms), 0), digits - 1)
}

/** The text that a part of a key stands for. */
export function textOf(part: string): string {
  return part.includes('%') ? part.replaceAll('%21', '!').replaceAll('%25', '%') : part
}

function part(text: string): string {
  return text.includes('!') || text.includes('%') ? text.replaceAll('%', '%25').replaceAll('!', '%21') : text
}
