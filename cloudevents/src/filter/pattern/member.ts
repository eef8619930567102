/** An own member of a JSON object: names such as `constructor` are data like others. */
export function memberOf(object: object, name: string): unknown {
  const value = (object as Record<string, unknown>)[name]
  return value === undefined || Object.hasOwn(object, name) ? value : undefined
}
