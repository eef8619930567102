/** Guards that many rules of a set have in common let many events through: all rules of a trigger may want one type. */
import { ownShare, type Conjunct, type Guard, type GuardShare } from './guards.ts'

export class SharedGuards {
  readonly #counts = new Map<string, number>()
  readonly #rules: number

  constructor(rules: readonly (readonly Conjunct[])[]) {
    this.#rules = rules.length
    for (const conjuncts of rules) {
      for (const guard of conjuncts.flatMap(({ guards }) => guards ?? [])) {
        const key = keyOf(guard)
        if (key !== undefined) this.#counts.set(key, (this.#counts.get(key) ?? 0) + 1)
      }
    }
  }

  /** At least the part of the rules that have the guard. */
  readonly shareOf: GuardShare = guard => {
    const key = keyOf(guard)
    const count = key === undefined ? 1 : (this.#counts.get(key) ?? 1)
    return count === 1 ? ownShare(guard) : Math.max(ownShare(guard), count / this.#rules)
  }
}

/** Only texts and values are told apart; the rest has its own share. */
function keyOf(guard: Guard): string | undefined {
  if (guard.kind === 'untexted' || !('value' in guard.test)) return undefined
  const place = guard.kind === 'text' ? `@${guard.name}` : guard.path.join('\0')
  return `${place}\0${guard.test.op}\0${typeof guard.test.value}\0${guard.test.value}`
}
