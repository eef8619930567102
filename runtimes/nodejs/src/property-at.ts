/** Follows a dotted path (`niam.xyz`) from a module's exports; undefined where it leads nowhere. */
export function propertyAt(from: unknown, path: string): unknown {
  let value = from
  for (const name of path.split('.')) {
    if (value === null || value === undefined) return undefined
    value = (value as Record<string, unknown>)[name]
  }
  return value
}
