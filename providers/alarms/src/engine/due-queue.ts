/** A binary heap of (instant, item): the one structure all armed subscriptions wait in. */
export class DueQueue<Item> {
  readonly #heap: { readonly atMs: number; readonly item: Item }[] = []

  get size(): number {
    return this.#heap.length
  }

  /** The earliest instant, or undefined when the queue is empty. */
  get firstMs(): number | undefined {
    return this.#heap[0]?.atMs
  }

  push(atMs: number, item: Item): void {
    const heap = this.#heap
    const entry = { atMs, item }
    let index = heap.length
    heap.push(entry)
    while (index > 0) {
      const parent = (index - 1) >> 1
      const above = heap[parent]
      if (above === undefined || above.atMs <= atMs) break
      heap[index] = above
      index = parent
    }
    heap[index] = entry
  }

  /** Takes the earliest item if it is at or before `nowMs`. */
  takeDue(nowMs: number): Item | undefined {
    const heap = this.#heap
    const first = heap[0]
    if (first === undefined || first.atMs > nowMs) return undefined
    const last = heap.pop()
    if (heap.length > 0 && last !== undefined) this.#sink(last)
    return first.item
  }

  /** Leaves out what `keep` refuses. */
  retain(keep: (item: Item) => boolean): void {
    const kept = this.#heap.filter(({ item }) => keep(item))
    this.#heap.length = 0
    for (const { atMs, item } of kept) this.push(atMs, item)
  }

  #sink(entry: { readonly atMs: number; readonly item: Item }): void {
    const heap = this.#heap
    let index = 0
    for (;;) {
      let child = 2 * index + 1
      const right = heap[child + 1]
      const left = heap[child]
      if (left === undefined) break
      if (right !== undefined && right.atMs < left.atMs) child++
      const smaller = heap[child]
      if (smaller === undefined || smaller.atMs >= entry.atMs) break
      heap[index] = smaller
      index = child
    }
    heap[index] = entry
  }
}
