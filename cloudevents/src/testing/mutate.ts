/** Seeded mutations of good inputs, for the tests that feed a decoder with broken ones. */

/** Numbers in [0, below) from a seed (mulberry32). */
export function seeded(seed: number): (below: number) => number {
  let state = seed >>> 0
  return below => {
    state = (state + 0x6d2b79f5) >>> 0
    let mixed = Math.imul(state ^ (state >>> 15), state | 1)
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61)
    return ((mixed ^ (mixed >>> 14)) >>> 0) % below
  }
}

/** One to four changes: a bit flipped, bytes cut out, doubled or replaced, the end cut off, a piece of grammar put in. */
export function mutate(input: Uint8Array, next: (below: number) => number): Buffer {
  let bytes = Buffer.from(input)
  for (let changes = 1 + next(4); changes > 0; changes--) {
    const at = next(bytes.length + 1)
    const end = Math.min(bytes.length, at + next(16))
    const [head, middle, tail] = [bytes.subarray(0, at), bytes.subarray(at, end), bytes.subarray(end)]
    switch (next(6)) {
      case 0:
        bytes = Buffer.concat([head, tail])
        break
      case 1:
        bytes = Buffer.concat([head, middle, middle, tail])
        break
      case 2:
        bytes = Buffer.concat([head, Buffer.from(pieces[next(pieces.length)] as string, 'latin1'), tail])
        break
      case 3:
        bytes = Buffer.from(head)
        break
      case 4:
        bytes = Buffer.concat([head, Buffer.from([next(256)]), tail])
        break
      default:
        bytes = Buffer.from(bytes)
        if (at < bytes.length) bytes[at] = (bytes[at] as number) ^ (1 << next(8))
    }
  }
  return bytes
}

const pieces = [
  ...['{', '}', '[', ']', '"', ':', ',', '\\', '\\u', '\\ud800', 'null', 'true', '-0', '1e999', '2147483648', '0.5'],
  ...['"__proto__":', '"data":', '"data_base64":', '"id":', '"specversion":"1.0"', '"constructor"', '{"a":'],
  ...['%', '%4', '%C0%A0', '%ED%A0%80', '%00', '%0d%0a', '\xff', '\xc3\xa9', '\xed\xa0\x80', '\0', '\r\n', '\x7f'],
  ...['[[[[[[[[[[[[[[[[', '\n', ' ', '=', 'charset=', ';', '/', '1.0', '2018-04-05T03:56:60Z', 'application/'],
]
