import { crc32 } from 'node:zlib'
import { SluiceError } from '../../model/index.ts'

/**
 * What lies in the database: an ordinary JSON document `{"sequence":…,"epoch":…,"crc32":…,"body":…}`
 * (reliability.md §6.2.7). The checksum covers key, sequence, epoch and the text of the body, so that damage and a value
 * that has moved to another key are found before use.
 */
export type Document = {
  /** Counts the writes of one epoch; together with the epoch it never comes twice. */
  readonly sequence: number
  /** Counts the openings of the database. */
  readonly epoch: number
  /** JSON text, exactly as it was given. */
  readonly body: string
}

const head = /^\{"sequence":(\d+),"epoch":(\d+),"crc32":(\d+),"body":/

/** The text to store for a body, which is JSON text already. */
export function seal(key: string, body: string, sequence: number, epoch: number): string {
  return `{"sequence":${sequence},"epoch":${epoch},"crc32":${checksum(key, body, sequence, epoch)},"body":${body}}`
}

/** Takes a stored text apart. Throws SLUICE_STORE_CORRUPT, which names the key, when anything in it was changed. */
export function unseal(key: string, text: string): Document {
  const match = head.exec(text)
  if (!match) throw corrupt(key)
  const sequence = Number(match[1])
  const epoch = Number(match[2])
  const body = text.slice(match[0].length, -1)
  if (!text.endsWith('}') || checksum(key, body, sequence, epoch) !== Number(match[3])) throw corrupt(key)
  return { sequence, epoch, body }
}

function checksum(key: string, body: string, sequence: number, epoch: number): number {
  return crc32(body, crc32(`${key} ${sequence} ${epoch}`))
}

function corrupt(key: string): SluiceError {
  return new SluiceError(
    'SLUICE_STORE_CORRUPT',
    `The stored document '${key}' does not match its checksum; it is not served.`,
  )
}
