/** What is known of the places of one action. Times in milliseconds. */
export type Places = {
  /** How long a run usually holds its place; unknown before the first one has ended. */
  readonly runMs: number | undefined
  /** For how long each run that holds a place has held it. */
  readonly agesMs: readonly number[]
  /** Places that are empty or could be made. */
  readonly idle: number
  /** After so long such a place can be used. */
  readonly readyMs: number
}

/**
 * How many waiting runs will have got a place `ms` from now; Infinity when there is no experience to tell. A run beyond
 * its usual time is expected to take as long again as it has already taken.
 */
export function servedWithin(ms: number, { runMs, agesMs, idle, readyMs }: Places): number {
  const usualMs = runMs ?? Math.max(0, ...agesMs)
  if (usualMs <= 0) return Infinity
  const served = (freeInMs: number): number => (freeInMs > ms ? 0 : 1 + Math.floor((ms - freeInMs) / usualMs))
  let count = 0
  for (const ageMs of agesMs) count += served(ageMs < usualMs ? usualMs - ageMs : ageMs)
  // With no place at all others have to give one up, which they do.
  return count + Math.max(idle, agesMs.length === 0 ? 1 : 0) * served(readyMs)
}
