/** RFC 3339 to and from google.protobuf.Timestamp, exact to the nanosecond. */

/** Seconds since 1970 and nanoseconds above them. */
export type ProtobufTimestamp = { readonly seconds: number; readonly nanos: number }

/** From 0001-01-01T00:00:00Z to 9999-12-31T23:59:59Z, as the message's definition says. */
const secondsMin = -62_135_596_800
const secondsMax = 253_402_300_799

/** The instant of a checked RFC 3339 timestamp, or nothing for one that a Timestamp cannot hold: leap seconds, more than
 *  nine digits, years before 1 and after 9999. */
export function timestampOf(text: string): ProtobufTimestamp | undefined {
  const found = /^(.{19})(?:\.(\d{1,9}))?([Zz]|[+-]\d\d:\d\d)$/.exec(text)
  if (found === null) return undefined
  const [, date = '', fraction = '', zone = ''] = found
  const milliseconds = Date.parse(`${date.replace('t', 'T')}${zone.toUpperCase()}`)
  const seconds = milliseconds / 1000
  if (!(seconds >= secondsMin && seconds <= secondsMax)) return undefined
  return { seconds, nanos: Number(fraction.padEnd(9, '0')) }
}

/** RFC 3339 in UTC with 0, 3, 6 or 9 digits, or nothing for a Timestamp out of range. */
export function timestampText({ seconds, nanos }: ProtobufTimestamp): string | undefined {
  if (!(seconds >= secondsMin && seconds <= secondsMax && nanos >= 0 && nanos <= 999_999_999)) return undefined
  const date = new Date(seconds * 1000 + Math.floor(nanos / 1_000_000)).toISOString()
  if (nanos === 0) return `${date.slice(0, 19)}Z`
  if (nanos % 1_000_000 === 0) return date
  const digits = String(nanos).padStart(9, '0')
  return `${date.slice(0, 19)}.${nanos % 1000 === 0 ? digits.slice(0, 6) : digits}Z`
}
