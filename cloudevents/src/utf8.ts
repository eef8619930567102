/** Strings from parts of a message in UTF-8, quickly for the short ones that attributes are. */
import { Buffer, isUtf8 } from 'node:buffer'

/** The bytes as a Buffer on the same memory. */
export function bufferOf(bytes: Uint8Array): Buffer {
  return Buffer.isBuffer(bytes) ? bytes : Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength)
}

/** The text from `start` to `end`, or nothing when those bytes are no UTF-8. */
export function utf8Slice(bytes: Buffer, start: number, end: number): string | undefined {
  let at = start
  // A native check costs more than this loop for short strings.
  const looked = Math.min(end, start + 64)
  while (at < looked && (bytes[at] as number) < 0x80) at++
  if (at === end) return bytes.toString('latin1', start, end)
  return isUtf8(bytes.subarray(at, end)) ? bytes.toString('utf8', start, end) : undefined
}
