/** Guards: what they are and how those of parts become those of the whole. */
import type { ValueTest } from '../value-test.ts'

export type Guard =
  /** A value at the path; of arrays, some element. */
  | { readonly kind: 'value'; readonly path: readonly string[]; readonly test: ValueTest }
  /** An attribute, as text. */
  | { readonly kind: 'text'; readonly name: string; readonly test: ValueTest }
  /** The event does not have the attribute, or has it as something else than text: CESQL has more to say then. */
  | { readonly kind: 'untexted'; readonly name: string }

export type Guards = {
  readonly guards: readonly Guard[]
  /** How few events they let through; higher is fewer. */
  readonly rank: number
  /** A guard that holds is all that the filter asks for. */
  readonly sufficient: boolean
}

/** The guard of a single test, which is all there is to it. */
export function one(guard: Guard & { test: ValueTest }): Guards {
  return { guards: [guard], rank: rankOf(guard.test), sufficient: true }
}

/** Of parts that must all hold, those with the fewest events; the others remain to be asked. */
export function best(all: readonly (Guards | undefined)[], alone: boolean): Guards | undefined {
  let found: Guards | undefined
  for (const guards of all) {
    if (guards !== undefined && (found === undefined || guards.rank > found.rank)) found = guards
  }
  return found && { ...found, sufficient: found.sufficient && alone }
}

/** Of parts of which one must hold, all. */
export function union(all: readonly (Guards | undefined)[]): Guards | undefined {
  const guards: Guard[] = []
  let rank = Infinity
  let sufficient = true
  for (const part of all) {
    if (part === undefined) return undefined
    guards.push(...part.guards)
    rank = Math.min(rank, part.rank)
    sufficient &&= part.sufficient
  }
  return guards.length === 0 ? undefined : { guards, rank, sufficient }
}

/** Longer texts are rarer; what excludes values lets most events through. */
export function rankOf(test: ValueTest): number {
  switch (test.op) {
    case 'equals':
      return typeof test.value === 'string' || typeof test.value === 'number' ? 100 : 30
    case 'equalsFolded':
      return 95
    case 'prefix':
    case 'suffix':
    case 'prefixFolded':
    case 'suffixFolded':
      return test.value === '' ? 15 : 60 + Math.min(20, test.value.length)
    case 'cidr':
      return 70
    case 'range':
      return test.low === -Infinity || test.high === Infinity ? 35 : 50
    case 'glob':
      return 40
    case 'but':
      return 10
    case 'exists':
      return 5
  }
}
