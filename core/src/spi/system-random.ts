import { randomBytes, randomInt, randomUUID } from 'node:crypto'
import type { Random } from './random.ts'

const alphabet = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789'

/** Ids are drawn from a pool of random bytes, because one call of the system for each id costs more than the id. */
let pool = randomBytes(4096)
let used = 0

function hexId(): string {
  if (used + 16 > pool.length) {
    pool = randomBytes(4096)
    used = 0
  }
  const id = pool.toString('hex', used, used + 16)
  used += 16
  return id
}

/** The system's cryptographic source. */
export const systemRandom: Random = {
  fraction: () => Math.random(),
  hexId,
  alphanumeric: length => Array.from({ length }, () => alphabet[randomInt(alphabet.length)]).join(''),
  uuid: () => randomUUID(),
}
