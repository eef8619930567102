/** EventBridge patterns: from the JSON object to alternatives of fields. */
import { FilterError, pointerStep, shown } from '../filter-error.ts'
import { filterLimits } from '../limits.ts'
import { parseCondition } from './parse-condition.ts'
import type { Pattern, PatternField, PatternNode } from './pattern.ts'

/** One alternative while it grows. As in event-ruler, a path that is given twice has the last conditions. */
type Fields = Map<string, PatternField>

/** Names that event-ruler reserves: inside `$or` they are no fields. */
const reservedInOr = new Set([
  'exactly',
  'prefix',
  'suffix',
  'equals-ignore-case',
  'wildcard',
  'anything-but',
  'numeric',
  'exists',
  'cidr',
])

/**
 * Compiles a pattern, `{"detail": {"state": ["running", {"prefix": "st"}]}}`. A dot in a key is a step of the path.
 * Throws FilterError, whose path goes from the pattern down.
 */
export function parsePattern(definition: unknown): Pattern {
  const parser = { values: 0 }
  const alternatives = parseObject(parser, definition, '', [], [new Map<string, PatternField>()], false, 0)
  return { alternatives: alternatives.map(fields => nodeOf([...fields.values()], [])) }
}

function parseObject(
  parser: { values: number },
  definition: unknown,
  at: string,
  path: readonly string[],
  alternatives: Fields[],
  inOr: boolean,
  depth: number,
): Fields[] {
  if (typeof definition !== 'object' || definition === null || Array.isArray(definition))
    throw new FilterError('must be an object', { path: at })
  if (depth > filterLimits.patternDepthMax)
    throw new FilterError(`is nested deeper than ${filterLimits.patternDepthMax}`, { path: shortened(at) })
  const members = Object.entries(definition)
  if (members.length === 0) throw new FilterError('must have at least one field', { path: at })
  let grown = alternatives
  for (const [name, value] of members) {
    const place = at + pointerStep(name)
    if (name === '$or') {
      grown = parseOr(parser, value, place, path, grown, depth)
      continue
    }
    if (inOr && reservedInOr.has(name))
      throw new FilterError(`${shown(name)} cannot be a field inside of "$or"`, { path: place })
    const keys = [...path, name]
    if (Array.isArray(value)) {
      const field = parseField(value, place, keys)
      parser.values += (field.tests.length + 1) * grown.length
      if (parser.values > filterLimits.patternValuesMax)
        throw new FilterError(`is too large: more than ${filterLimits.patternValuesMax} values`, { path: place })
      for (const fields of grown) fields.set(keys.join('.'), field)
    } else if (typeof value === 'object' && value !== null) {
      grown = parseObject(parser, value, place, keys, grown, inOr, depth + 1)
    } else {
      throw new FilterError('must be a list of values or an object', { path: place })
    }
  }
  return grown
}

function parseOr(
  parser: { values: number },
  choices: unknown,
  at: string,
  path: readonly string[],
  alternatives: Fields[],
  depth: number,
): Fields[] {
  if (!Array.isArray(choices) || choices.length < 2)
    throw new FilterError('must be a list of at least two objects', { path: at })
  if (alternatives.length * choices.length > filterLimits.patternAlternativesMax)
    throw new FilterError(`makes more than ${filterLimits.patternAlternativesMax} alternatives`, { path: at })
  const grown = choices.flatMap((choice, index) => {
    parser.values += alternatives.reduce((sum, fields) => sum + fields.size, 0)
    const copies = alternatives.map(fields => new Map(fields))
    return parseObject(parser, choice, at + pointerStep(index), path, copies, true, depth + 1)
  })
  if (grown.length > filterLimits.patternAlternativesMax)
    throw new FilterError(`makes more than ${filterLimits.patternAlternativesMax} alternatives`, { path: at })
  return grown
}

function parseField(conditions: readonly unknown[], at: string, keys: readonly string[]): PatternField {
  if (conditions.length === 0) throw new FilterError('must have at least one value', { path: at })
  const tests = conditions.map((condition, index) => parseCondition(condition, at + pointerStep(index)))
  return {
    path: keys.flatMap(key => key.split('.')),
    keys,
    at,
    tests: tests.filter(test => test !== 'absent'),
    orAbsent: tests.includes('absent'),
  }
}

/** The tree of fields that share the beginning `path`. */
function nodeOf(fields: readonly PatternField[], path: readonly string[]): PatternNode {
  const depth = path.length
  const groups = new Map<string, PatternField[]>()
  for (const one of fields) {
    const name = one.path[depth]
    if (name === undefined) continue
    const group = groups.get(name)
    if (group) group.push(one)
    else groups.set(name, [one])
  }
  return {
    field: fields.find(one => one.path.length === depth),
    members: [...groups].map(([name, group]) => ({ name, node: nodeOf(group, [...path, name]) })),
    dottedKeys: [...new Set(fields.flatMap(one => dottedKeyAt(one, depth) ?? []))],
  }
}

/** The key that begins at `depth` of the path, if it has dots. */
function dottedKeyAt({ keys }: PatternField, depth: number): string | undefined {
  let at = 0
  for (const key of keys) {
    if (at === depth) return key.includes('.') ? key : undefined
    at += key.split('.').length
  }
  return undefined
}

/** The beginning of a very long pointer. */
function shortened(path: string): string {
  return path.length > 200 ? `${path.slice(0, 200)}...` : path
}
