/** Seeded texts near a language: pieces of its grammar in any order, cut and doubled. */
import type { Next } from './random-filters.ts'

/** Up to `piecesMax` pieces, sometimes one of them very often. */
export function brokenText(next: Next, pieces: readonly string[], piecesMax: number): string {
  const parts = Array.from({ length: 1 + next(piecesMax) }, () => pieces[next(pieces.length)] as string)
  if (next(100) === 0)
    parts.splice(next(parts.length), 0, (pieces[next(pieces.length)] as string).repeat(1 + next(2000)))
  const text = parts.join(next(3) === 0 ? '' : ' ')
  return next(4) === 0 ? text.slice(0, next(text.length + 1)) : text
}

export const cesqlPieces = [
  ...['type', 'missing', 'ext', 'data', "'a'", '"b"', "'a%b_'", '1', '-2147483648', '2147483648', 'TRUE', 'false'],
  ...['(', ')', ',', '+', '-', '*', '/', '%', '=', '!=', '<>', '<', '<=', '>', '>=', 'AND', 'or', 'XOR', 'NOT'],
  ...['LIKE', 'IN', 'EXISTS', 'LENGTH(', 'CONCAT(', 'SUBSTRING(', 'INT(', 'DATA(', "'/a/0'", 'NONE(', "'", '"', '\\'],
  ...['é', '😀', '\0', '\n', '_', 'a_b', '{', '--'],
]

export const jsonataPieces = [
  ...['data', '.', 'a', '[', ']', '(', ')', '{', '}', ':', ',', ';', '$', '$sum(', '$f := function($x) {', '$map('],
  ...['1', '"b"', "'", '"', '/a+/', '/(a', '/(?=b)/', '*', '**', '%', '&', '..', '?', '~>', ':=', '^(', '@$i', '#$j'],
  ...['and', 'or', 'in', 'é', '\0', '\n', '`', '|', '\\', '/*', '*/', '-', '!', '=', '<s:n>'],
]

/** JSON around what filters and patterns are made of, of any shape. */
export function brokenDefinition(next: Next, depth: number): unknown {
  switch (depth === 0 ? next(6) : next(12)) {
    case 0:
      return [null, true, 0, -1.5, 1e308, '', 'a*b', '**', '\\x', '10.0.0.0/24', '/'][next(11)]
    case 1:
      return brokenText(next, cesqlPieces, 8)
    case 2:
      return next(100)
    case 3:
      return ['=', next(9)]
    case 4:
      return ['>', next(9), '<', next(12)]
    case 5:
      return 'a'
    case 6:
    case 7:
      return Array.from({ length: next(4) }, () => brokenDefinition(next, depth - 1))
    default:
      return Object.fromEntries(
        Array.from({ length: next(8) === 0 ? next(4) : 1 }, () => [
          definitionKeys[next(definitionKeys.length)] as string,
          brokenDefinition(next, depth - 1),
        ]),
      )
  }
}

const definitionKeys = [
  ...['exact', 'prefix', 'suffix', 'all', 'any', 'not', 'sql', 'cesql', 'pattern', 'jsonata', 'regex', 'type', 'data'],
  ...[
    'a',
    'a.b',
    '$or',
    'anything-but',
    'equals-ignore-case',
    'wildcard',
    'numeric',
    'exists',
    'cidr',
    '__proto__',
    '',
  ],
]
