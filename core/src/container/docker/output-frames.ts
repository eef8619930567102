import type { OutputStream } from '../output/container-log.ts'

const headerBytes = 8

/**
 * Takes the engine's stream of output apart. Both streams of a container come in one, in frames:
 *
 *   byte 0: 1 stdout, 2 stderr | 1..3: zero | 4..7: length, big endian | that many bytes of output
 *
 * Parts of a frame are handed on as they come, so nothing is held but an unfinished header.
 */
export class OutputFrames {
  readonly #take: (stream: OutputStream, part: Buffer) => void
  readonly #header = Buffer.alloc(headerBytes)
  #headerFilled = 0
  #left = 0
  #stream: OutputStream = 'stdout'

  constructor(take: (stream: OutputStream, part: Buffer) => void) {
    this.#take = take
  }

  push(chunk: Buffer): void {
    let at = 0
    while (at < chunk.length) {
      if (this.#left === 0) {
        const copied = chunk.copy(this.#header, this.#headerFilled, at, at + headerBytes - this.#headerFilled)
        this.#headerFilled += copied
        at += copied
        if (this.#headerFilled === headerBytes) this.#begin()
        continue
      }
      const end = Math.min(chunk.length, at + this.#left)
      this.#left -= end - at
      this.#take(this.#stream, chunk.subarray(at, end))
      at = end
    }
  }

  #begin(): void {
    this.#headerFilled = 0
    this.#left = this.#header.readUInt32BE(4)
    this.#stream = this.#header[0] === 2 ? 'stderr' : 'stdout'
  }
}
