import { describe, expect, it } from 'vitest'
import { seeded } from '../../testing/mutate.ts'
import { compileGlob, globLiteral, simplify } from './glob.ts'
import { createPieceSearch, hole, type GlobUnit } from './piece-search.ts'

/** By the book: which prefixes of the text each beginning of the glob matches. */
function matchesSlowly(pieces: readonly (readonly GlobUnit[])[], text: string): boolean {
  const characters = Array.from(text)
  let reached = new Set([0])
  pieces.forEach((piece, index) => {
    if (index > 0) {
      const first = Math.min(...reached)
      reached = new Set(characters.map((_, at) => at).filter(at => at >= first))
      if (first <= characters.length) reached.add(characters.length)
    }
    for (const unit of piece) {
      const next = [...reached].filter(at => at < characters.length && (unit === hole || characters[at] === unit))
      reached = new Set(next.map(at => at + 1))
    }
  })
  return reached.has(characters.length)
}

describe('a glob', () => {
  it('matches what it matches by the book, with long pieces, holes and characters of two units', () => {
    const counts = { yes: 0, no: 0 }
    for (let seed = 0; seed < 3000; seed++) {
      const next = seeded(seed)
      const alphabet = ['a', 'a', 'a', 'b', '😀'].slice(0, 3 + next(3))
      const character = () => alphabet[next(alphabet.length)] as string
      const pieces = Array.from({ length: 1 + next(4) }, () =>
        Array.from({ length: next([3, 6, 80][next(3)] as number) }, () => (next(5) === 0 ? hole : character())),
      )
      // Made from the glob, with a mistake now and then.
      const text = pieces
        .map(piece => piece.map(unit => (unit === hole || next(40) === 0 ? character() : unit)).join(''))
        .join(Array.from({ length: next(3) }, character).join(''))
      const matched = compileGlob({ pieces })(text)
      expect(matched, JSON.stringify([seed, text])).toBe(matchesSlowly(pieces, text))
      counts[matched ? 'yes' : 'no']++
    }
    expect(Math.min(counts.yes, counts.no)).toBeGreaterThan(300)
  })

  it('finds pieces in long texts as `indexOf` does', () => {
    for (let seed = 0; seed < 200; seed++) {
      const next = seeded(seed)
      const letters = (length: number) => Array.from({ length }, () => 'ab'[next(2)]).join('')
      const unit = letters(1 + next(20))
      const piece = unit.repeat(30) + letters(next(5))
      const text = unit.repeat(next(200)) + letters(next(50)) + unit.repeat(200) + letters(4000)
      const from = next(100)
      const end = text.length - next(100)
      const found = text.slice(0, end).indexOf(piece, from)
      expect(createPieceSearch(Array.from(piece)).find(text, from, end)).toBe(found)
      expect(createPieceSearch([...Array.from(piece), hole]).find(text, from, text.length)).toBe(
        text.slice(0, -1).indexOf(piece, from),
      )
    }
  })

  it('is told to be simpler where it is', () => {
    expect(simplify({ pieces: [['a', 'b']] })).toEqual({ op: 'equals', value: 'ab' })
    expect(simplify({ pieces: [['a'], []] })).toEqual({ op: 'prefix', value: 'a' })
    expect(simplify({ pieces: [[], ['a']] })).toEqual({ op: 'suffix', value: 'a' })
    expect(simplify({ pieces: [['a', hole], []] }).op).toBe('glob')
    expect(globLiteral({ pieces: [[hole]] })).toBeUndefined()
  })
})
