/**
 * How much accepted work of each namespace has not been settled (design.md §3.4): runs, and the bytes of their fires.
 * Runs are settled about in the order in which they were accepted, so a settled one takes its share of the oldest bytes
 * with it; that way nothing needs to be remembered for each run.
 */
export class FireBacklog {
  readonly #namespaces = new Map<string, Stretch[]>()
  readonly #totals = new Map<string, Load>()
  /** Runs that were settled before they were counted, while what an earlier process left is still being counted. */
  #early: Map<string, number> | undefined = new Map()

  of(namespace: string): Readonly<Load> {
    return this.#totals.get(namespace) ?? nothing
  }

  /** Over all namespaces. */
  get runs(): number {
    let sum = 0
    for (const { runs } of this.#totals.values()) sum += runs
    return sum
  }

  add(namespace: string, runs: number, bytes: number): void {
    const early = Math.min(this.#early?.get(namespace) ?? 0, runs)
    if (early > 0) this.#early?.set(namespace, (this.#early.get(namespace) ?? 0) - early)
    const left = runs - early
    if (left <= 0) return
    const share = (bytes * left) / runs
    const total = this.#totals.get(namespace) ?? { runs: 0, bytes: 0 }
    total.runs += left
    total.bytes += share
    this.#totals.set(namespace, total)
    const stretches = this.#namespaces.get(namespace) ?? []
    this.#namespaces.set(namespace, stretches)
    const last = stretches.at(-1)
    if (last && last.runs + last.gone < stretchRuns) {
      last.runs += left
      last.bytes += share
    } else stretches.push({ runs: left, bytes: share, gone: 0 })
  }

  /** That many runs of the namespace are settled. */
  settle(namespace: string, runs = 1): void {
    const stretches = this.#namespaces.get(namespace)
    const total = this.#totals.get(namespace)
    for (let left = runs; left > 0;) {
      const oldest = stretches?.[0]
      if (!stretches || !total || !oldest) {
        this.#early?.set(namespace, (this.#early.get(namespace) ?? 0) + left)
        return
      }
      const taken = Math.min(left, oldest.runs)
      const bytes = (oldest.bytes * taken) / oldest.runs
      oldest.runs -= taken
      oldest.gone += taken
      oldest.bytes -= bytes
      total.runs -= taken
      total.bytes -= bytes
      left -= taken
      if (oldest.runs === 0) stretches.shift()
      if (stretches.length > 0) continue
      this.#namespaces.delete(namespace)
      this.#totals.delete(namespace)
      if (left > 0) this.#early?.set(namespace, (this.#early.get(namespace) ?? 0) + left)
      return
    }
  }

  /** Everything that an earlier process left has been added: what is settled from now on was counted, or never will be. */
  countedAll(): void {
    this.#early = undefined
  }
}

type Load = { runs: number; bytes: number }
type Stretch = Load & { /** Settled ones. */ gone: number }

const nothing: Load = { runs: 0, bytes: 0 }
/** So many runs share one sum of bytes. */
const stretchRuns = 1000
