/** Avro's binary encoding, writing: values one after the other into memory that grows. */
import { Buffer } from 'node:buffer'

export class AvroWriter {
  #bytes: Buffer
  #at = 0

  constructor(sizeHint: number) {
    this.#bytes = Buffer.allocUnsafe(sizeHint)
  }

  /** A zigzag number of up to 52 bits. */
  long(value: number): void {
    this.#reserve(8)
    let rest = value < 0 ? -value * 2 - 1 : value * 2
    while (rest >= 128) {
      this.#bytes[this.#at++] = (rest % 128) + 128
      rest = Math.floor(rest / 128)
    }
    this.#bytes[this.#at++] = rest
  }

  boolean(value: boolean): void {
    this.#reserve(1)
    this.#bytes[this.#at++] = value ? 1 : 0
  }

  bytes(value: Uint8Array): void {
    this.long(value.length)
    this.#reserve(value.length)
    this.#bytes.set(value, this.#at)
    this.#at += value.length
  }

  string(value: string): void {
    const length = Buffer.byteLength(value)
    this.long(length)
    this.#reserve(length)
    this.#at += this.#bytes.write(value, this.#at, length, 'utf8')
  }

  finish(): Uint8Array {
    return this.#bytes.subarray(0, this.#at)
  }

  #reserve(length: number): void {
    if (this.#at + length <= this.#bytes.length) return
    const grown = Buffer.allocUnsafe(Math.max(this.#bytes.length * 2, this.#at + length))
    this.#bytes.copy(grown, 0, 0, this.#at)
    this.#bytes = grown
  }
}
