/** Versions of entities: `a.b.c`, not all zero (rest-api.md §3.2). */

const grammar = /^\d{1,9}(\.\d{1,9}){0,2}$/

/** The version of an entity that names none. */
export const firstVersion = '0.0.1'

/** `1` gives `1.0.0`, `1.2` gives `1.2.0`. Throws an Error whose message is the detail for the client. */
export function parseVersion(value: unknown): string {
  if (typeof value !== 'string' || !grammar.test(value)) throw new Error('semantic version malformed')
  const numbers = value.split('.').map(Number)
  if (numbers.every(number => number === 0)) throw new Error('semantic version malformed')
  while (numbers.length < 3) numbers.push(0)
  return numbers.join('.')
}

/** The version after an update that names none. */
export function nextVersion(version: string): string {
  const [major = '0', minor = '0', patch = '0'] = version.split('.')
  return `${major}.${minor}.${Number(patch) + 1}`
}
