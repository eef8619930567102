/**
 * Texts with gaps: CESQL's LIKE (`%`, `_`) and EventBridge's wildcard (`*`) in one form, matched in linear time: the pieces
 * between two gaps are looked for one after the other, leftmost first, which never needs to go back.
 */
import { createPieceSearch, hole, type GlobUnit, type PieceSearch } from './piece-search.ts'

/** The pieces between the gaps: `['a', 'b']` for `a*b`; one piece only when there is no gap. */
export type Glob = { readonly pieces: readonly (readonly GlobUnit[])[] }

/** Literal text at the beginning, up to the first gap or hole: a value that matches begins with it. */
export function globPrefix(glob: Glob): string {
  const first = glob.pieces[0] as readonly GlobUnit[]
  const end = first.indexOf(hole)
  return (end < 0 ? first : first.slice(0, end)).join('')
}

/** Literal text at the end. */
export function globSuffix(glob: Glob): string {
  const last = glob.pieces.at(-1) as readonly GlobUnit[]
  return last.slice(last.lastIndexOf(hole) + 1).join('')
}

/** The text when the glob has no gap and no hole. */
export function globLiteral({ pieces }: Glob): string | undefined {
  const [only] = pieces
  return pieces.length === 1 && only !== undefined && !only.includes(hole) ? only.join('') : undefined
}

/** The simplest form that tells the same: equality, prefix, suffix, or the glob itself. */
export function simplify(
  glob: Glob,
): { op: 'equals' | 'prefix' | 'suffix'; value: string } | { op: 'glob'; glob: Glob } {
  const literal = globLiteral(glob)
  if (literal !== undefined) return { op: 'equals', value: literal }
  const [first, last] = [glob.pieces[0] as readonly GlobUnit[], glob.pieces.at(-1) as readonly GlobUnit[]]
  if (glob.pieces.length === 2 && !first.includes(hole) && !last.includes(hole)) {
    if (last.length === 0) return { op: 'prefix', value: first.join('') }
    if (first.length === 0) return { op: 'suffix', value: last.join('') }
  }
  return { op: 'glob', glob }
}

/** Whether a text matches. Time is linear in the text, times a 32nd of the longest piece if that has holes. */
export function compileGlob({ pieces }: Glob): (text: string) => boolean {
  const searches = pieces.map(createPieceSearch)
  const holes = pieces.some(piece => piece.includes(hole))
  return text => {
    // A hole takes one character, which may be two units.
    const units = holes && hasSurrogates(text) ? Array.from(text) : text
    return matchPieces(searches, units)
  }
}

function matchPieces(searches: readonly PieceSearch[], text: string | readonly string[]): boolean {
  const first = searches[0] as PieceSearch
  if (searches.length === 1) return text.length === first.lengthIn(text) && first.isAt(text, 0)
  const last = searches[searches.length - 1] as PieceSearch
  const end = text.length - last.lengthIn(text)
  let at = first.lengthIn(text)
  if (at > end || !first.isAt(text, 0) || !last.isAt(text, end)) return false
  for (let index = 1; index < searches.length - 1; index++) {
    const search = searches[index] as PieceSearch
    const found = search.find(text, at, end)
    if (found < 0) return false
    at = found + search.lengthIn(text)
  }
  return true
}

function hasSurrogates(text: string): boolean {
  return /[\ud800-\udfff]/.test(text)
}
