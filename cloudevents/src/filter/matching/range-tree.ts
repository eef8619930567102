/**
 * Ranges of numbers: finds all that hold a number in logarithmic time, plus what is found. Between its bounds a range covers
 * slots; where ranges overlap little each slot lists them, else they stand in a segment tree above the slots.
 */

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
  /** The leaves are all there is. */
  readonly #flat: boolean

  constructor(ranges: readonly NumberRange[]) {
    const bounds = ranges.flatMap(({ low, high }) => [low, high]).filter(Number.isFinite)
    this.#bounds = new Float64Array(new Set(bounds)).sort()
    this.#size = 2 ** Math.ceil(Math.log2(2 * this.#bounds.length + 1))
    this.#nodes = new Array<number[] | undefined>(2 * this.#size).fill(undefined)
    const covered = ranges.reduce((sum, range) => sum + this.#endOf(range) - this.#startOf(range), 0)
    this.#flat = covered <= flatMax * ranges.length
    for (const range of ranges) {
      if (this.#flat) this.#insertFlat(range)
      else this.#insert(range)
    }
  }

  /** Calls back with the lists of entries whose range holds the number. */
  find(value: number, found: (entries: readonly number[]) => void): void {
    if (this.#flat) {
      const entries = this.#nodes[this.#slotOf(value) + this.#size]
      if (entries !== undefined) found(entries)
      return
    }
    for (let node = this.#slotOf(value) + this.#size; node > 0; node >>= 1) {
      const entries = this.#nodes[node]
      if (entries !== undefined) found(entries)
    }
  }

  #insertFlat(range: NumberRange): void {
    const end = this.#endOf(range)
    for (let slot = this.#startOf(range); slot < end; slot++) this.#add(slot + this.#size, range.entry)
  }

  #insert(range: NumberRange): void {
    const { entry } = range
    let left = this.#startOf(range) + this.#size
    let right = this.#endOf(range) + this.#size
    while (left < right) {
      if (left & 1) this.#add(left++, entry)
      if (right & 1) this.#add(--right, entry)
      left >>= 1
      right >>= 1
    }
  }

  #startOf({ low, lowOpen }: NumberRange): number {
    return low === -Infinity ? 0 : this.#slotOf(low) + (lowOpen ? 1 : 0)
  }

  /** Behind the last slot. */
  #endOf({ high, highOpen }: NumberRange): number {
    return high === Infinity ? 2 * this.#bounds.length + 1 : this.#slotOf(high) + (highOpen ? 0 : 1)
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

/** Slots a range covers on average up to which each slot has its list. */
const flatMax = 8
