/**
 * Guards: tests of single values of which at least one must hold when a filter matches. A set of rules is indexed by them, so
 * that a rule is looked at only when one of its guards holds.
 */
import type { ValueTest } from '../value-test.ts'

export type Guard =
  /** A value at the path; of arrays, some element. */
  | { readonly kind: 'value'; readonly path: readonly string[]; readonly test: ValueTest }
  /** An attribute, as text. */
  | { readonly kind: 'text'; readonly name: string; readonly test: ValueTest }
  /** The event does not have the attribute, or has it as something else than text: CESQL has more to say then. */
  | { readonly kind: 'untexted'; readonly name: string }

/** What one attribute is asked; `text`: as text, else as it is. Many rules share such conditions. */
export type AttributeCondition = { readonly name: string; readonly text: boolean; readonly tests: readonly ValueTest[] }

/** A part of a filter that must hold with the others. */
export type Conjunct = {
  /** Of which one must hold; none if an event could pass the part without any. */
  readonly guards: readonly Guard[] | undefined
  /** A guard that holds is all that the part asks for. */
  readonly sufficient: boolean
  /** All that the part asks for, if that is one attribute. */
  readonly condition?: AttributeCondition
}

/** The part that asks for one of these tests. */
export function oneOf(guards: readonly Guard[], condition?: AttributeCondition): Conjunct {
  return { guards, sufficient: true, ...(condition ? { condition } : {}) }
}

/** A part about which nothing is known. */
export const unguarded: Conjunct = { guards: undefined, sufficient: false }

/** Of parts of which one must hold: all their guards. Each part is a list of conjuncts. */
export function union(parts: readonly (readonly Conjunct[])[]): Conjunct {
  const guards: Guard[] = []
  let sufficient = true
  for (const conjuncts of parts) {
    const best = rarest(conjuncts)
    if (best?.guards === undefined) return unguarded
    guards.push(...best.guards)
    sufficient &&= best.sufficient && conjuncts.length === 1
  }
  return { guards, sufficient }
}

/** The conjunct that fewest events pass; nothing when none has guards. */
export function rarest(conjuncts: readonly Conjunct[], share: GuardShare = ownShare): Conjunct | undefined {
  let found: Conjunct | undefined
  let least = Infinity
  for (const conjunct of conjuncts) {
    if (conjunct.guards === undefined) continue
    const chance = conjunct.guards.reduce((sum, guard) => sum + share(guard), 0)
    if (chance < least) [found, least] = [conjunct, chance]
  }
  return found
}

/** Which part of all events a guard lets through; an estimate. */
export type GuardShare = (guard: Guard) => number

export const ownShare: GuardShare = guard => (guard.kind === 'untexted' ? 0.03 : shareOf(guard.test))

/** Longer texts are rarer; what excludes values lets most events through. */
function shareOf(test: ValueTest): number {
  switch (test.op) {
    case 'equals':
      return typeof test.value === 'string' || typeof test.value === 'number' ? 0.01 : 0.4
    case 'equalsFolded':
      return 0.011
    case 'prefix':
    case 'suffix':
    case 'prefixFolded':
    case 'suffixFolded':
      return test.value === '' ? 0.95 : Math.max(0.02, 0.2 / test.value.length)
    case 'cidr':
      return 0.05
    case 'range':
      return test.low === -Infinity || test.high === Infinity ? 0.4 : 0.1
    case 'glob':
      return 0.3
    case 'but':
      return 0.9
    case 'exists':
      return 0.95
  }
}
