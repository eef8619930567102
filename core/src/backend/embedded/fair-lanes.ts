type Lane<T> = { readonly parked: T[]; running: number }

/**
 * Shares places out between keys, in turn (reliability.md §6.4.5). A key gets an even share of the places, counted with
 * one key more than there is: so there is always a place for one that comes anew.
 */
export class FairLanes<T> {
  /** In the order of their turn. */
  readonly #lanes = new Map<string, Lane<T>>()

  park(key: string, item: T): void {
    this.#laneOf(key).parked.push(item)
  }

  /** The first item of the key whose turn it is, if one is below its share of so many places. */
  next(places: number): T | undefined {
    const share = Math.max(1, Math.floor(places / (this.#lanes.size + 1)))
    for (const [key, lane] of this.#lanes) {
      if (lane.running >= share || lane.parked.length === 0) continue
      this.#lanes.delete(key)
      this.#lanes.set(key, lane)
      return lane.parked.shift()
    }
    return undefined
  }

  began(key: string): void {
    this.#laneOf(key).running++
  }

  ended(key: string): void {
    const lane = this.#laneOf(key)
    lane.running--
    if (lane.running <= 0 && lane.parked.length === 0) this.#lanes.delete(key)
  }

  clear(): void {
    this.#lanes.clear()
  }

  #laneOf(key: string): Lane<T> {
    let lane = this.#lanes.get(key)
    if (!lane) this.#lanes.set(key, (lane = { parked: [], running: 0 }))
    return lane
  }
}
