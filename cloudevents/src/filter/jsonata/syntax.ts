/** Checks JSONata without running it: parsing is done here, in this process, where it is bounded by the length. */
import { createRequire } from 'node:module'
import type jsonata from 'jsonata'
import { RE2JS } from 're2js'
import { filterLimits } from '../limits.ts'
import type { JsonataProblem } from './evaluator.ts'

/** Loaded at the first expression (40 ms): most hubs never have one. */
let parser: typeof jsonata | undefined

function parse(expression: string): ReturnType<jsonata.Expression['ast']> {
  parser ??= createRequire(import.meta.url)('jsonata') as typeof jsonata
  return parser(expression).ast()
}

/** The first mistake, or nothing. Regular expressions must be ones that a linear engine knows. */
export function checkJsonata(expression: string): JsonataProblem | undefined {
  if (expression.length > filterLimits.jsonataLengthMax)
    return {
      offset: filterLimits.jsonataLengthMax,
      message: `an expression has at most ${filterLimits.jsonataLengthMax} characters`,
    }
  try {
    return foreignRegExp(parse(expression), expression)
  } catch (error) {
    if (error instanceof RangeError) return { offset: 0, message: 'the expression is nested too deep' }
    const { position = 0, message } = error as { position?: number; message?: string }
    // A JSONata position is behind the token.
    return { offset: Math.max(0, Math.min(position - 1, expression.length)), message: String(message).slice(0, 300) }
  }
}

/** Look-around, back-references and other things that need backtracking. */
function foreignRegExp(root: unknown, expression: string): JsonataProblem | undefined {
  const open = [root]
  const seen = new Set<unknown>()
  for (let node = open.pop(); node !== undefined; node = open.pop()) {
    if (typeof node !== 'object' || node === null || seen.has(node)) continue
    seen.add(node)
    if (node instanceof RegExp) {
      try {
        RE2JS.compile(RE2JS.translateRegExp(node.source))
      } catch {
        const offset = Math.max(0, expression.indexOf(`/${node.source}/`))
        return {
          offset,
          message: 'this regular expression needs look-around, back-references or more than 1,000 repeats',
        }
      }
    } else open.push(...(Object.values(node) as unknown[]))
  }
  return undefined
}
