/** Strings from parts of a message in UTF-8, quickly for the short ones that attributes are. */
import { Buffer, isUtf8 } from 'node:buffer'

/** The bytes as a Buffer on the same memory. */
export function bufferOf(bytes: Uint8Array): Buffer {
  return Buffer.isBuffer(bytes) ? bytes : Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength)
}

/** What every Buffer has and the types do not say: `toString` without looking at its arguments, which costs more than to
 *  read a short string. */
type Slices = Buffer & {
  latin1Slice(start: number, end: number): string
  utf8Slice(start: number, end: number): string
}

/** The text from `start` to `end`, or nothing when those bytes are no UTF-8. */
export function utf8Slice(bytes: Buffer, start: number, end: number): string | undefined {
  let at = start
  // A native check costs more than this loop for short strings.
  const looked = Math.min(end, start + 64)
  while (at < looked && (bytes[at] as number) < 0x80) at++
  if (at === end) return (bytes as Slices).latin1Slice(start, end)
  return isUtf8(bytes.subarray(at, end)) ? (bytes as Slices).utf8Slice(start, end) : undefined
}

/** `utf8Slice` for names, of which the same few come again and again: to compare one is quicker than to make one. */
export function nameSlice(bytes: Buffer, start: number, end: number): string | undefined {
  const length = end - start
  if (length === 0 || length > nameLengthMax) return utf8Slice(bytes, start, end)
  const slot = ((bytes[start] as number) * 31 + (bytes[end - 1] as number) * 7 + length) % names.length
  const known = names[slot] as string
  if (known.length === length) {
    let at = 0
    while (at < length && known.charCodeAt(at) === bytes[start + at]) at++
    if (at === length) return known
  }
  const text = utf8Slice(bytes, start, end)
  // Fewer characters than bytes: not ASCII, and no name.
  if (text?.length === length) names[slot] = text
  return text
}

/** The last name in each slot; whatever comes, there are never more. */
const names: string[] = new Array<string>(256).fill('')
const nameLengthMax = 20
