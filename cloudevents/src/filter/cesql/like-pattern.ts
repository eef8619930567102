/** Patterns of LIKE (CESQL 1.0 §3.4.3): `%` spans anything, `_` is one character, both escaped by a backslash. */
import { filterLimits } from '../limits.ts'
import type { Glob } from '../text/glob.ts'
import { hole, type GlobUnit } from '../text/piece-search.ts'

/** The glob, or a text that says what is wrong. A backslash before anything else is a backslash. */
export function parseLikePattern(pattern: string): Glob | string {
  if (pattern.length > filterLimits.globLengthMax)
    return `a LIKE pattern has at most ${filterLimits.globLengthMax} characters`
  const pieces: GlobUnit[][] = [[]]
  const characters = Array.from(pattern)
  for (let index = 0; index < characters.length; index++) {
    const character = characters[index] as string
    const next = characters[index + 1]
    const piece = pieces.at(-1) as GlobUnit[]
    if (character === '\\' && (next === '%' || next === '_')) {
      piece.push(next)
      index++
    } else if (character === '_') piece.push(hole)
    else if (character !== '%') piece.push(character)
    // Several `%` in a row are one.
    else if (piece.length > 0 || pieces.length === 1) pieces.push([])
  }
  if (pieces.some(piece => piece.length > filterLimits.globHolePieceMax && piece.includes(hole)))
    return `a LIKE pattern has at most ${filterLimits.globHolePieceMax} characters between two % if there is _ among them`
  return { pieces }
}
