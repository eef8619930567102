/** Ranges of numbers in a segment tree: finds all that hold a number in logarithmic time, plus what is found. */

export type NumberRange = {
  readonly low: number
  readonly lowOpen: boolean
  readonly high: number
  readonly highOpen: boolean
  readonly entry: number
}

export class RangeTree {
  /** The bounds in order; slot 2i is the gap before bound i, slot 2i + 1 the bound itself. */
  readonly #bounds: Float64Array
  readonly #size: number
  /** Node n has children 2n and 2n + 1; leaves begin at `#size`. */
  readonly #nodes: (number[] | undefined)[]

  constructor(ranges: readonly NumberRange[]) {
    const bounds = ranges.flatMap(({ low, high }) => [low, high]).filter(Number.isFinite)
    this.#bounds = new Float64Array(new Set(bounds)).sort()
    this.#size = 2 ** Math.ceil(Math.log2(2 * this.#bounds.length + 1))
    this.#nodes = new Array<number[] | undefined>(2 * this.#size)
    for (const range of ranges) this.#insert(range)
  }

  /** Calls back with the lists of entries whose range holds the number. */
  find(value: number, found: (entries: readonly number[]) => void): void {
    for (let node = this.#slotOf(value) + this.#size; node > 0; node >>= 1) {
      const entries = this.#nodes[node]
      if (entries !== undefined) found(entries)
    }
  }

  #insert({ low, lowOpen, high, highOpen, entry }: NumberRange): void {
    let left = (low === -Infinity ? 0 : this.#slotOf(low) + (lowOpen ? 1 : 0)) + this.#size
    let right = (high === Infinity ? 2 * this.#bounds.length : this.#slotOf(high) - (highOpen ? 1 : 0)) + this.#size + 1
    while (left < right) {
      if (left & 1) this.#add(left++, entry)
      if (right & 1) this.#add(--right, entry)
      left >>= 1
      right >>= 1
    }
  }

  #add(node: number, entry: number): void {
    ;(this.#nodes[node] ??= []).push(entry)
  }

  #slotOf(value: number): number {
    const bounds = this.#bounds
    let from = 0
    let to = bounds.length
    while (from < to) {
      const middle = (from + to) >> 1
      if ((bounds[middle] as number) < value) from = middle + 1
      else to = middle
    }
    return bounds[from] === value ? 2 * from + 1 : 2 * from
  }
}
