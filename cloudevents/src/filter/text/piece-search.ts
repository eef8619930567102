/** Looks for one piece of a glob in a text, from left to right, in linear time whatever text and piece are made of. */

/** Stands for any one character. */
export const hole = Symbol('any one character')

/** One character (code point) of a piece. */
export type GlobUnit = string | typeof hole

/** `text` is a string, counted in UTF-16 units, or its characters, where holes stand for whole ones. */
export type PieceSearch = {
  lengthIn(text: string | readonly string[]): number
  isAt(text: string | readonly string[], at: number): boolean
  /** First place in [from, end] where the piece ends at `end` at the latest; -1 if there is none. */
  find(text: string | readonly string[], from: number, end: number): number
}

export function createPieceSearch(piece: readonly GlobUnit[]): PieceSearch {
  return piece.includes(hole) ? holedSearch(piece) : literalSearch(piece.join(''))
}

/** Beyond this product of lengths `indexOf` might take long. */
const quickMax = 1 << 16

function literalSearch(piece: string): PieceSearch {
  const characters = Array.from(piece)
  let failures: Int32Array | undefined
  return {
    lengthIn: text => (typeof text === 'string' ? piece.length : characters.length),
    isAt: (text, at) =>
      typeof text === 'string'
        ? text.startsWith(piece, at)
        : characters.every((character, index) => text[at + index] === character),
    find(text, from, end) {
      if (typeof text !== 'string') {
        failures ??= failureTable(characters)
        return knuthMorrisPratt(characters, failures, text, from, end)
      }
      if ((end - from) * piece.length <= quickMax) {
        const found = text.indexOf(piece, from)
        return found < 0 || found + piece.length > end ? -1 : found
      }
      const units = piece.split('')
      return knuthMorrisPratt(units, failureTable(units), text, from, end)
    },
  }
}

/** For each position: how much of the piece's beginning also ends there. */
function failureTable(piece: readonly string[]): Int32Array {
  const failures = new Int32Array(piece.length)
  for (let index = 1, length = 0; index < piece.length; index++) {
    while (length > 0 && piece[index] !== piece[length]) length = failures[length - 1] as number
    if (piece[index] === piece[length]) length++
    failures[index] = length
  }
  return failures
}

function knuthMorrisPratt(
  piece: readonly string[],
  failures: Int32Array,
  text: string | readonly string[],
  from: number,
  end: number,
): number {
  if (piece.length === 0) return from <= end ? from : -1
  for (let at = from, length = 0; at < end; at++) {
    while (length > 0 && text[at] !== piece[length]) length = failures[length - 1] as number
    if (text[at] === piece[length]) length++
    if (length === piece.length) return at - length + 1
  }
  return -1
}

/** Shift-And: bit n of the state says that the last n + 1 characters fit the first n + 1 of the piece. */
function holedSearch(piece: readonly GlobUnit[]): PieceSearch {
  const words = Math.ceil(piece.length / 32)
  const holes = new Int32Array(words)
  piece.forEach((unit, index) => {
    if (unit === hole) setBit(holes, index)
  })
  const masks = new Map<string, Int32Array>()
  piece.forEach((unit, index) => {
    if (typeof unit !== 'string') return
    const mask = masks.get(unit) ?? holes.slice()
    setBit(mask, index)
    masks.set(unit, mask)
  })
  const lastWord = words - 1
  const lastBit = 1 << ((piece.length - 1) & 31)
  return {
    lengthIn: () => piece.length,
    isAt: (text, at) => piece.every((unit, index) => unit === hole || text[at + index] === unit),
    find(text, from, end) {
      const state = new Int32Array(words)
      for (let at = from; at < end; at++) {
        const mask = masks.get(text[at] as string) ?? holes
        let carry = 1
        for (let word = 0; word < words; word++) {
          const before = state[word] as number
          state[word] = ((before << 1) | carry) & (mask[word] as number)
          carry = before >>> 31
        }
        if (((state[lastWord] as number) & lastBit) !== 0) return at - piece.length + 1
      }
      return -1
    },
  }
}

function setBit(words: Int32Array, index: number): void {
  words[index >> 5] = (words[index >> 5] as number) | (1 << (index & 31))
}
