/** RFC 3339 timestamps, checked without making a Date: the spelling is kept, and fractions may be longer than a Date holds. */

/** Whether `text` is an RFC 3339 date-time that exists; leap seconds only where there can be one, at 23:59:60 UTC. */
export function isTimestamp(text: string): boolean {
  if (text.length < 20) return false
  if (!(at(text, 4, DASH) && at(text, 7, DASH) && at(text, 13, COLON) && at(text, 16, COLON))) return false
  // RFC 3339 §5.6: T and Z may be lower case.
  if ((text.charCodeAt(10) | 0x20) !== LETTER_T) return false
  const year = number(text, 0, 4)
  const month = number(text, 5, 2)
  const day = number(text, 8, 2)
  const hour = number(text, 11, 2)
  const minute = number(text, 14, 2)
  const second = number(text, 17, 2)
  if (year < 0 || month < 1 || month > 12 || day < 1 || day > daysIn(year, month)) return false
  if (hour < 0 || hour > 23 || minute < 0 || minute > 59 || second < 0 || second > 60) return false
  const zone = fractionEnd(text, 19)
  const offset = zone < 0 ? undefined : offsetMinutes(text, zone)
  if (offset === undefined) return false
  return second < 60 || (hour * 60 + minute - offset + 2 * 1440) % 1440 === 1439
}

const DASH = 0x2d
const COLON = 0x3a
const DOT = 0x2e
const LETTER_T = 0x74
const LETTER_Z = 0x7a

function at(text: string, index: number, code: number): boolean {
  return text.charCodeAt(index) === code
}

/** The number that `digits` digits make, or -1. */
function number(text: string, from: number, digits: number): number {
  let value = 0
  for (let index = from; index < from + digits; index++) {
    const digit = text.charCodeAt(index) - 0x30
    if (!(digit >= 0 && digit <= 9)) return -1
    value = value * 10 + digit
  }
  return value
}

function daysIn(year: number, month: number): number {
  if (month === 2) return (year % 4 === 0 && year % 100 !== 0) || year % 400 === 0 ? 29 : 28
  return month === 4 || month === 6 || month === 9 || month === 11 ? 30 : 31
}

/** Where the zone starts after an optional fraction, or -1 when the fraction has no digit. */
function fractionEnd(text: string, from: number): number {
  if (!at(text, from, DOT)) return from
  let end = from + 1
  while (number(text, end, 1) >= 0) end++
  return end === from + 1 ? -1 : end
}

/** Minutes east of UTC, or nothing when that is no zone. */
function offsetMinutes(text: string, from: number): number | undefined {
  const sign = text.charCodeAt(from)
  if ((sign | 0x20) === LETTER_Z) return text.length === from + 1 ? 0 : undefined
  if ((sign !== 0x2b && sign !== DASH) || text.length !== from + 6 || !at(text, from + 3, COLON)) return undefined
  const hours = number(text, from + 1, 2)
  const minutes = number(text, from + 4, 2)
  if (hours < 0 || hours > 23 || minutes < 0 || minutes > 59) return undefined
  return (sign === DASH ? -1 : 1) * (hours * 60 + minutes)
}
