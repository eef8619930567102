/** Which stem cells are wanted beside those that are there (platform.md §8.4). */
export type StemCell = { readonly kind: string; readonly memoryMb: number; readonly count: number }

export type StemCells = {
  /** One entry for each cell to start. */
  missing(present: readonly { kind: string; memoryMb: number }[]): StemCell[]
  begin(cell: StemCell): void
  end(cell: StemCell): void
}

export function createStemCells(wanted: readonly StemCell[]): StemCells {
  const starting = new Map<StemCell, number>()
  return {
    missing: present =>
      wanted.flatMap(cell => {
        const there = present.filter(({ kind, memoryMb }) => kind === cell.kind && memoryMb === cell.memoryMb).length
        return Array.from({ length: Math.max(0, cell.count - there - (starting.get(cell) ?? 0)) }, () => cell)
      }),
    begin: cell => void starting.set(cell, (starting.get(cell) ?? 0) + 1),
    end: cell => void starting.set(cell, Math.max(0, (starting.get(cell) ?? 0) - 1)),
  }
}
