/** Avro's binary encoding, reading (Avro 1.11 §Binary Encoding): each method takes one value, none reads beyond the end. */
import type { Buffer } from 'node:buffer'
import { CloudEventError } from '../../error.ts'
import { bufferOf, nameSlice, utf8Slice } from '../../utf8.ts'

export class AvroReader {
  readonly #bytes: Buffer
  #at = 0

  constructor(bytes: Uint8Array) {
    this.#bytes = bufferOf(bytes)
  }

  /** A zigzag number as int, long, length, count or branch of a union. Beyond 2^53 it throws: nothing here is that long. */
  long(): number {
    const bytes = this.#bytes
    let byte = bytes[this.#at++]
    if (byte === undefined) throw this.broken()
    // Two bytes hold all lengths and indexes of ordinary events.
    let value = byte & 0x7f
    for (let factor = 128; byte >= 0x80; factor *= 128) {
      byte = bytes[this.#at++]
      if (byte === undefined || factor > 2 ** 49) throw this.broken()
      value += (byte & 0x7f) * factor
    }
    if (value > Number.MAX_SAFE_INTEGER) throw this.broken()
    return value % 2 === 0 ? value / 2 : -(value + 1) / 2
  }

  boolean(): boolean {
    const byte = this.#bytes[this.#at++]
    if (byte !== 0 && byte !== 1) throw this.broken()
    return byte === 1
  }

  double(): number {
    const start = this.#take(8)
    return this.#bytes.readDoubleLE(start)
  }

  /** On the memory of the message. */
  bytes(): Uint8Array {
    const start = this.#take(this.long())
    return this.#bytes.subarray(start, this.#at)
  }

  string(): string {
    const start = this.#take(this.long())
    const text = utf8Slice(this.#bytes, start, this.#at)
    if (text === undefined) throw new CloudEventError('body', 'utf8')
    return text
  }

  /** A string of which the same few come again and again. */
  name(): string {
    const start = this.#take(this.long())
    const text = nameSlice(this.#bytes, start, this.#at)
    if (text === undefined) throw new CloudEventError('body', 'utf8')
    return text
  }

  /** The number of items in the next block of a map or an array; 0 ends it. Each item has at least one byte. */
  block(): number {
    let count = this.long()
    if (count < 0) {
      count = -count
      this.long()
    }
    if (count > this.#bytes.length - this.#at) throw this.broken()
    return count
  }

  /** Throws unless everything has been read. */
  end(): void {
    if (this.#at !== this.#bytes.length) throw this.broken()
  }

  /** Says at which byte the message stops making sense. */
  broken(): CloudEventError {
    const at = Math.min(this.#at, this.#bytes.length)
    return new CloudEventError('body', 'avro', { detail: `it is broken at byte ${at}` })
  }

  #take(length: number): number {
    const start = this.#at
    if (length < 0 || length > this.#bytes.length - start) throw this.broken()
    this.#at = start + length
    return start
  }
}
