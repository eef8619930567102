import type { ContainerFactory, ContainerSpec, Logger } from '../spi/index.ts'
import type { Start } from './container-starter.ts'
import { egressOf, type ActionSpec, type PooledContainer } from './pooled-container.ts'

/** Containers of a kind that are kept ready for any action of it (platform.md §8.4). */
export type StemCell = { readonly kind: string; readonly memoryMb: number; readonly count: number }

export type StemCellOptions = {
  readonly factory: Pick<ContainerFactory, 'supports'>
  readonly log: Logger
  readonly stemCells: readonly StemCell[]
  /** What they reach. */
  readonly egress: ContainerSpec['egress']
  readonly imageOf: (kind: string) => string
}

/** What the keeper needs of the pool. */
export type StemCellPool = {
  readonly containers: () => Iterable<PooledContainer>
  /** Memory that nobody else wants now. */
  readonly spareMb: () => number
  readonly create: (start: Start) => Promise<void>
}

export type StemCellKeeper = {
  /** One that the action could have: of its kind and exactly its memory, and reaching what it needs. */
  readonly matching: (spec: ActionSpec) => PooledContainer | undefined
  /** Starts what is missing, in the background, as long as memory is not short. */
  readonly fill: () => void
}

export function createStemCellKeeper(options: StemCellOptions, pool: StemCellPool): StemCellKeeper {
  const { egress, factory, imageOf, log, stemCells } = options
  const starting = new Map<StemCell, number>()

  function missing(cell: StemCell): number {
    let there = starting.get(cell) ?? 0
    for (const { kind, memoryMb, spec, state } of pool.containers())
      if (!spec && state !== 'leaving' && kind === cell.kind && memoryMb === cell.memoryMb) there++
    return cell.count - there
  }

  function start(cell: StemCell): void {
    const { kind, memoryMb } = cell
    const count = (by: number): void => void starting.set(cell, (starting.get(cell) ?? 0) + by)
    count(1)
    pool
      .create({ kind, image: imageOf(kind), memoryMb, spec: undefined })
      .catch((error: unknown) => log.warn({ err: error, kind }, 'stem cell could not be started'))
      .finally(() => count(-1))
  }

  return {
    matching(spec) {
      if (egressOf(spec, egress) !== egress) return undefined
      for (const pooled of pool.containers()) {
        if (!pooled.spec && pooled.state === 'ready' && pooled.kind === spec.kind && pooled.memoryMb === spec.memoryMb)
          return pooled
      }
      return undefined
    },
    fill() {
      for (const cell of stemCells) {
        if (!factory.supports(cell.kind)) continue
        for (let left = missing(cell); left > 0 && cell.memoryMb <= pool.spareMb(); left--) start(cell)
      }
    },
  }
}
