/** Filter definitions (events.md §3.2; Subscriptions API §3.2.4): from JSON to clauses. */
import { compileCesql } from './cesql/cesql.ts'
import type { Clause } from './clause.ts'
import { errorAt, FilterError, pointerStep, shown } from './filter-error.ts'
import type { JsonataSyntax } from './jsonata/evaluator.ts'
import { filterLimits } from './limits.ts'
import { parsePattern } from './pattern/parse-pattern.ts'
import type { ValueTest } from './value-test.ts'

export type DefinitionOptions = {
  /** CloudEvents and CESQL without Sluice's additions: DATA is unknown. */
  readonly strict?: boolean
  /** Checks JSONata; without it, definitions that have some are refused. */
  readonly jsonata?: JsonataSyntax
}

type Parser = DefinitionOptions & { clauses: number }

/** Throws FilterError, with a path from the definition down. */
export function parseDefinition(definition: unknown, options: DefinitionOptions): Clause {
  const parser: Parser = { ...options, clauses: 0 }
  if (typeof definition === 'string') return cesql(parser, definition, '', 'cesql', '')
  return parseFilters(parser, definition, '', 0)
}

/** One filter, or a list of which all must pass. */
function parseFilters(parser: Parser, definition: unknown, at: string, depth: number): Clause {
  if (!Array.isArray(definition)) return parseFilter(parser, definition, at, depth)
  return { kind: 'all', at, language: 'all', definition, clauses: parseList(parser, definition, at, depth) }
}

function parseFilter(parser: Parser, definition: unknown, at: string, depth: number): Clause {
  if (depth > filterLimits.clauseDepthMax)
    throw new FilterError(`is nested deeper than ${filterLimits.clauseDepthMax}`, { path: at.slice(0, 200) })
  count(parser, at)
  if (typeof definition !== 'object' || definition === null || Array.isArray(definition))
    throw new FilterError(`must be an object such as {"exact": {"type": "a"}}, not ${shown(definition)}`, { path: at })
  const members = Object.entries(definition as Record<string, unknown>)
  const [member] = members
  if (member === undefined || members.length > 1)
    throw new FilterError('must have exactly one key, the name of a filter language', { path: at })
  const [language, body] = member
  const place = at + pointerStep(language)
  switch (language) {
    case 'exact':
    case 'prefix':
    case 'suffix':
      return parseAttributes(parser, language, definition, body, at)
    case 'all':
    case 'any': {
      if (!Array.isArray(body) || body.length === 0)
        throw new FilterError('must be a list of at least one filter', { path: place })
      return { kind: language, at, language, definition, clauses: parseList(parser, body, place, depth) }
    }
    case 'not':
      return { kind: 'not', at, language, definition, clause: parseFilter(parser, body, place, depth + 1) }
    case 'sql':
    case 'cesql':
      return cesql(parser, text(body, place), at, language, place)
    case 'pattern':
      return { kind: 'pattern', at, language, definition, pattern: within(place, () => parsePattern(body)) }
    case 'jsonata':
      return jsonata(parser, text(body, place), at, place)
    default:
      throw new FilterError(`${shown(language)} is no filter language that is known`, { path: place })
  }
}

function parseList(parser: Parser, definitions: readonly unknown[], at: string, depth: number): Clause[] {
  return definitions.map((definition, index) => parseFilter(parser, definition, at + pointerStep(index), depth + 1))
}

/** `{"type": "a", "subject": "b"}`: several attributes are AND. */
function parseAttributes(
  parser: Parser,
  language: 'exact' | 'prefix' | 'suffix',
  definition: unknown,
  body: unknown,
  at: string,
): Clause {
  const inside = at + pointerStep(language)
  if (typeof body !== 'object' || body === null || Array.isArray(body))
    throw new FilterError('must be an object of attributes and texts', { path: inside })
  const entries = Object.entries(body as Record<string, unknown>)
  if (entries.length === 0) throw new FilterError('must name at least one attribute', { path: inside })
  const clauses = entries.map(([name, value]): Clause => {
    const place = inside + pointerStep(name)
    count(parser, place)
    if (!/^[a-z0-9]+$/.test(name))
      throw new FilterError('is no name of an attribute: those have a-z and 0-9', { path: place })
    if (typeof value !== 'string' || value === '')
      throw new FilterError('must be a text that is not empty', { path: place })
    const test: ValueTest = { op: language === 'exact' ? 'equals' : language, value }
    return { kind: 'attribute', at, language, definition, name, test }
  })
  const [only] = clauses
  return only !== undefined && clauses.length === 1 ? only : { kind: 'all', at, language, definition, clauses }
}

function cesql(parser: Parser, source: string, at: string, language: 'cesql' | 'sql', place: string): Clause {
  const expression = within(place, () => compileCesql(source, { strict: parser.strict ?? false }))
  return { kind: 'cesql', at, language, definition: source, expression }
}

function jsonata({ jsonata: syntax }: Parser, expression: string, at: string, place: string): Clause {
  if (syntax === undefined) throw new FilterError('JSONata is not available here', { path: place })
  if (expression.length > filterLimits.jsonataLengthMax)
    throw errorAt(
      expression,
      filterLimits.jsonataLengthMax,
      `an expression has at most ${filterLimits.jsonataLengthMax} characters`,
      place,
    )
  const problem = syntax.check(expression)
  if (problem !== undefined) throw errorAt(expression, problem.offset, problem.message, place)
  return { kind: 'jsonata', at, language: 'jsonata', definition: expression, expression }
}

function count(parser: Parser, path: string): void {
  if (++parser.clauses > filterLimits.clausesMax)
    throw new FilterError(`a filter has at most ${filterLimits.clausesMax} clauses`, { path })
}

function text(value: unknown, path: string): string {
  if (typeof value !== 'string') throw new FilterError('must be a text', { path })
  return value
}

function within<T>(path: string, run: () => T): T {
  try {
    return run()
  } catch (error) {
    throw error instanceof FilterError ? error.within(path) : error
  }
}
