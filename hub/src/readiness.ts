/** Collects from the parts of this process whether each can do its work, for `/readyz` (reliability.md §6.7.3). */
export type Readiness = {
  /** The part is not ready for this reason, until it says otherwise. */
  missing(part: string, reason: string): void
  ready(part: string): void
  /** Adds a part that is asked each time; it answers a reason, or nothing when it is ready. */
  probe(part: string, ask: () => string | undefined): void
  /** What is missing, by part; empty: the hub can do its work. */
  report(): Readonly<Record<string, string>>
}

/** The hub is not ready until every part that was declared missing has become ready. */
export function createReadiness(): Readiness {
  const reasons = new Map<string, string>()
  const probes = new Map<string, () => string | undefined>()
  return {
    missing: (part, reason) => void reasons.set(part, reason),
    ready: part => void reasons.delete(part),
    probe: (part, ask) => void probes.set(part, ask),
    report() {
      const report = new Map(reasons)
      for (const [part, ask] of probes) {
        const reason = ask()
        if (reason !== undefined) report.set(part, reason)
      }
      return Object.fromEntries(report)
    },
  }
}
