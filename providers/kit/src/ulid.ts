import type { Clock, Random } from '@sluice/core/spi'

const digits = '0123456789ABCDEFGHJKMNPQRSTVWXYZ'

/** 26 characters of Crockford's base 32: 48 bits of time, then 80 of chance; ordered by time. */
export function ulid(clock: Clock, random: Random): string {
  return base32(BigInt(clock.nowMs()), 10) + base32(BigInt(`0x${random.hexId().slice(0, 20)}`), 16)
}

/** Ulids that are ordered even where many are made in a millisecond, or where the clock steps back. */
export function orderedUlids(clock: Clock, random: Random): () => string {
  let lastMs = 0
  let last = 0n
  return () => {
    const nowMs = clock.nowMs()
    if (nowMs > lastMs) {
      lastMs = nowMs
      last = BigInt(`0x${random.hexId().slice(0, 19)}`)
    } else {
      last++
    }
    return base32(BigInt(lastMs), 10) + base32(last, 16)
  }
}

function base32(value: bigint, length: number): string {
  let text = ''
  for (let rest = value, i = 0; i < length; i++, rest >>= 5n) text = (digits[Number(rest & 31n)] ?? '') + text
  return text
}
