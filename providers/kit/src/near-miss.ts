import { bounds } from '@sluice/core/model'

/** `unknown parameter 'crom'` for each given name that is no known one but close to one (feeds.md §2.0). */
export function nearMissWarnings(given: readonly string[], known: readonly string[]): string[] {
  return given
    .filter(name => !known.includes(name))
    .filter(name => known.some(candidate => distance(name, candidate) <= bounds.feeds.nameDistanceMax))
    .map(name => `unknown parameter '${name}'`)
}

/** Edit distance, given up as "far" where the lengths alone say so. */
function distance(a: string, b: string): number {
  if (Math.abs(a.length - b.length) > bounds.feeds.nameDistanceMax) return Infinity
  let row = Array.from({ length: b.length + 1 }, (_, j) => j)
  for (let i = 1; i <= a.length; i++) {
    const next = [i]
    for (let j = 1; j <= b.length; j++) {
      const replaced = (row[j - 1] ?? 0) + (a[i - 1] === b[j - 1] ? 0 : 1)
      next.push(Math.min(replaced, (row[j] ?? 0) + 1, (next[j - 1] ?? 0) + 1))
    }
    row = next
  }
  return row[b.length] ?? 0
}
