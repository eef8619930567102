const newline = 10

/** Small pieces of one line are joined now and then: a process that writes byte by byte must not cost an object each. */
const piecesMax = 64

/** Gets one line, `bytes[start, end)`, without its newline. Valid during the call only. */
export type OnLine = (bytes: Buffer, start: number, end: number) => void

/**
 * Cuts a stream of bytes into lines. A line longer than `lineBytesMax` comes as several, cut between characters (UTF-8);
 * memory held is about that much, whatever comes in. `mark` is never cut in two.
 */
export class LineSplitter {
  readonly #lineBytesMax: number
  readonly #mark: Buffer
  readonly #onLine: OnLine
  #pieces: Buffer[] = []
  #heldBytes = 0

  constructor(lineBytesMax: number, mark: string, onLine: OnLine) {
    this.#lineBytesMax = lineBytesMax
    this.#mark = Buffer.from(mark)
    this.#onLine = onLine
  }

  push(chunk: Buffer): void {
    let start = 0
    for (let end = chunk.indexOf(newline); end !== -1; end = chunk.indexOf(newline, start)) {
      if (this.#heldBytes > 0) {
        this.#hold(chunk.subarray(start, end))
        this.flush()
      } else {
        this.#emit(chunk, start, end)
      }
      start = end + 1
    }
    if (start < chunk.length) this.#hold(chunk.subarray(start))
  }

  /** As `push`, for a chunk of which only the first line (it may have begun earlier) and the unfinished rest matter. */
  skim(chunk: Buffer): void {
    const first = chunk.indexOf(newline)
    if (first === -1) return this.#hold(chunk)
    this.push(chunk.subarray(0, first + 1))
    const rest = chunk.lastIndexOf(newline) + 1
    if (rest < chunk.length) this.#hold(chunk.subarray(rest))
  }

  /** Hands out what was written since the last newline, if anything. */
  flush(): void {
    if (this.#heldBytes === 0) return
    const line = this.#joined()
    this.#pieces = []
    this.#heldBytes = 0
    this.#emit(line, 0, line.length)
  }

  #hold(piece: Buffer): void {
    this.#pieces.push(piece)
    this.#heldBytes += piece.length
    if (this.#pieces.length > piecesMax) this.#pieces = [this.#joined()]
    if (this.#heldBytes <= this.#lineBytesMax + this.#mark.length) return
    const line = this.#joined()
    const cut = this.#emitPieces(line, 0, line.length - this.#mark.length)
    // A copy: a view would keep all of the long line in memory.
    this.#pieces = [Buffer.from(line.subarray(cut))]
    this.#heldBytes = line.length - cut
  }

  #joined(): Buffer {
    const [only] = this.#pieces
    return this.#pieces.length === 1 && only ? only : Buffer.concat(this.#pieces, this.#heldBytes)
  }

  #emit(bytes: Buffer, start: number, end: number): void {
    const rest = this.#emitPieces(bytes, start, end)
    this.#onLine(bytes, rest, end)
  }

  /** Hands out full pieces while more than one fits; returns where the rest begins. */
  #emitPieces(bytes: Buffer, start: number, end: number): number {
    while (end - start > this.#lineBytesMax) {
      const cut = this.#cutBefore(bytes, start + this.#lineBytesMax)
      this.#onLine(bytes, start, cut)
      start = cut
    }
    return start
  }

  /** The last place up to `end` that lies neither in a character nor in the mark. */
  #cutBefore(bytes: Buffer, end: number): number {
    const around = end - this.#mark.length + 1
    const found = bytes.subarray(around, end + this.#mark.length - 1).indexOf(this.#mark)
    return found === -1 ? characterStart(bytes, end) : around + found
  }
}

/** The start of the UTF-8 character that `at` lies in; `at` itself where the bytes are no UTF-8. */
function characterStart(bytes: Buffer, at: number): number {
  for (let start = at; start > at - 4 && start > 0; start--) {
    if (((bytes[start] ?? 0) & 0xc0) !== 0x80) return start
  }
  return at
}
