import { bounds } from '../../model/index.ts'

/** The end of a stream, to look at after an exit. */
export class Tail {
  #chunks: Buffer[] = []
  #bytes = 0

  push(chunk: Buffer): void {
    this.#chunks.push(chunk)
    this.#bytes += chunk.length
    let first = this.#chunks[0]
    while (first && this.#bytes - first.length >= bounds.container.stderrTailBytes) {
      this.#chunks.shift()
      this.#bytes -= first.length
      first = this.#chunks[0]
    }
    // Thousands of tiny chunks would cost more than the bytes.
    if (this.#chunks.length > 64) this.#chunks = [Buffer.concat(this.#chunks)]
  }

  toString(): string {
    return Buffer.concat(this.#chunks).toString('latin1')
  }
}

const abortSignals = new Set(['SIGABRT', 'SIGTRAP', 'SIGILL'])
const abortCode = 128 + 6

/**
 * Whether a runtime gave up because its own heap limit was reached. V8 then says so on stderr and aborts; the limit it
 * was given follows the action's, so this is memory exhausted like any other.
 */
export function isHeapExhausted(exit: { code: number | null; signal: string | null }, stderr: Tail): boolean {
  const aborted = exit.signal === null ? exit.code === abortCode : abortSignals.has(exit.signal)
  return aborted && /heap out of memory|Fatal (?:JavaScript|process) out of memory/.test(stderr.toString())
}
