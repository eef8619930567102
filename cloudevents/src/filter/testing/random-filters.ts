/** Filters and events over a small vocabulary, seeded, so that they often meet. */

/** Numbers in [0, below). */
export type Next = (below: number) => number

const names = ['type', 'subject', 'source', 'ext']
const words = ['a', 'ab', 'abc', 'b', 'AB', 'b.c', '5', 'true', '10.0.0.7', 'a/b', '']

export function randomEvent(next: Next): { attributes: Record<string, unknown>; data: unknown } {
  const attributes: Record<string, unknown> = {
    specversion: '1.0',
    id: word(next) || 'i',
    source: word(next) || 's',
    type: word(next) || 't',
  }
  if (next(2)) attributes['subject'] = word(next) || 's'
  if (next(2)) attributes['ext'] = [word(next), next(10), true][next(3)]
  return { attributes, data: next(8) === 0 ? undefined : randomData(next, 3) }
}

function randomData(next: Next, depth: number): unknown {
  switch (depth === 0 ? next(4) : next(8)) {
    case 0:
      return next(12) - 2
    case 1:
      return [null, true, false][next(3)]
    case 2:
    case 3:
      return word(next)
    case 4:
      return Array.from({ length: next(4) }, () => randomData(next, depth - 1))
    default:
      return Object.fromEntries(Array.from({ length: 1 + next(3) }, () => [field(next), randomData(next, depth - 1)]))
  }
}

/** A definition in any language but JSONata; a few are refused. */
export function randomFilter(next: Next, depth = 2): unknown {
  switch (depth === 0 ? next(5) : next(8)) {
    case 0:
    case 1:
      return { pattern: randomPattern(next, 2) }
    case 2:
      return { [['exact', 'prefix', 'suffix'][next(3)] as string]: { [name(next)]: word(next) || 'a' } }
    case 3:
    case 4:
      return { sql: randomExpression(next, 3) }
    case 5:
      return { not: randomFilter(next, depth - 1) }
    default:
      return {
        [['all', 'any'][next(2)] as string]: Array.from({ length: 1 + next(3) }, () => randomFilter(next, depth - 1)),
      }
  }
}

export function randomPattern(next: Next, depth: number): unknown {
  const members: [string, unknown][] = Array.from({ length: 1 + next(2) }, () => {
    if (depth > 0 && next(8) === 0)
      return ['$or', Array.from({ length: 2 + next(2) }, () => randomPattern(next, depth - 1))]
    const nested = depth > 0 && next(2) === 0
    return [
      depth === 2 ? ([name(next), 'data', 'data'][next(3)] as string) : field(next),
      nested ? randomPattern(next, depth - 1) : Array.from({ length: 1 + next(3) }, () => condition(next)),
    ]
  })
  return Object.fromEntries(members)
}

function condition(next: Next): unknown {
  switch (next(13)) {
    case 0:
      return { prefix: word(next) }
    case 1:
      return { suffix: word(next) }
    case 2:
      return { 'equals-ignore-case': word(next) }
    case 3:
      return { wildcard: `${word(next)}*${word(next)}` }
    case 4:
      return { 'anything-but': [[word(next), word(next)], next(5), word(next)][next(3)] }
    case 5:
      return { 'anything-but': { [['prefix', 'suffix', 'wildcard'][next(3)] as string]: word(next) || 'a' } }
    case 6:
      return { numeric: ['>', next(5), '<=', 5 + next(5)] }
    case 7:
      return { numeric: [['<', '<=', '>', '>=', '='][next(5)], next(10)] }
    case 8:
      return { exists: next(2) === 0 }
    case 9:
      return { cidr: ['10.0.0.0/24', '::/8', '10.0.0.8/30'][next(3)] }
    case 10:
      return [null, true, next(10)][next(3)]
    case 11:
      return { prefix: { 'equals-ignore-case': word(next) } }
    default:
      return word(next)
  }
}

export function randomExpression(next: Next, depth: number): string {
  const inner = () => randomExpression(next, depth - 1)
  switch (depth === 0 ? next(4) : next(14)) {
    case 0:
      return name(next)
    case 1:
      return `'${word(next)}'`
    case 2:
      return String(next(20) - 5)
    case 3:
      return ['TRUE', 'false', 'missing', 'EXISTS ext', 'EXISTS missing'][next(5)] as string
    case 4:
    case 5:
      return `${name(next)} = '${word(next)}'`
    case 6:
      return `${name(next)} ${['', 'NOT '][next(2)]}LIKE '${word(next)}${['', '%', '_', '%a'][next(4)]}'`
    case 7:
      return `${name(next)} ${['', 'NOT '][next(2)]}IN ('${word(next)}', '${word(next)}')`
    case 8:
      return `(${inner()}) ${['AND', 'AND', 'OR', 'OR', 'XOR'][next(5)]} (${inner()})`
    case 9:
      return `${inner()} AND ${inner()}`
    case 10:
      return `(${inner()}) ${['=', '!=', '<', '>=', '+', '/', '%'][next(7)]} (${inner()})`
    case 11:
      return `${['NOT', '-'][next(2)]} (${inner()})`
    case 12:
      return `${['LENGTH', 'INT', 'BOOL', 'STRING', 'UPPER', 'TRIM', 'ABS', 'NONE', 'CONCAT', 'DATA'][next(10)]}(${inner()})`
    default:
      return `SUBSTRING(${inner()}, ${next(6) - 2})`
  }
}

function name(next: Next): string {
  return names[next(names.length)] as string
}

function field(next: Next): string {
  return ['a', 'b', 'c', 'constructor'][next(4)] as string
}

function word(next: Next): string {
  return words[next(words.length)] as string
}
