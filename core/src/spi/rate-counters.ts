/** Fixed windows aligned to the wall-clock minute, per namespace uuid and operation (rest-api.md §9.5). */
export interface RateCounters {
  /** Counts attempts (one, unless told), refused ones too, and gives the count of this minute. */
  increment(key: string, by?: number): number
}
