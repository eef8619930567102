/** Sizes as namespace limits and manifests write them: `1 MB`, `256 K`, `10B` (rest-api.md §9.2). */

const grammar = /^\s?(\d{1,15})\s?(GB|MB|KB|B|G|M|K)\s?$/i
const factors: Readonly<Record<string, number>> = { B: 1, K: 1024, M: 1024 ** 2, G: 1024 ** 3 }

/** Bytes, or nothing when the text is no size. */
export function parseSize(text: unknown): number | undefined {
  const match = typeof text === 'string' ? grammar.exec(text) : null
  if (match === null) return undefined
  return Number(match[1]) * (factors[(match[2] ?? 'B')[0]?.toUpperCase() ?? 'B'] ?? 1)
}
