/** Fixed windows aligned to the wall-clock minute, per namespace uuid and operation (rest-api.md §9.5). */
export interface RateCounters {
  /** Counts one attempt, refused ones too, and gives the count of this minute. */
  increment(key: string): number
}
