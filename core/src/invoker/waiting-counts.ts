/** How many runs wait for a place, in all and by namespace, and who may add more (reliability.md I-F). */
export type WaitingCounts = {
  readonly total: () => number
  readonly enter: (namespaceUuid: string) => void
  readonly leave: (namespaceUuid: string) => void
  /** True when no more runs of this namespace may wait. */
  readonly full: (namespaceUuid: string) => boolean
  readonly clear: () => void
}

/**
 * `max` runs wait before anybody is refused; beyond, up to twice as many, only namespaces with less than their even share
 * of `max` may add to them: one that fills the queue takes nobody else's place in it.
 */
export function createWaitingCounts(max: number): WaitingCounts {
  const counts = new Map<string, number>()
  let total = 0
  return {
    total: () => total,
    enter(namespaceUuid) {
      total++
      counts.set(namespaceUuid, (counts.get(namespaceUuid) ?? 0) + 1)
    },
    leave(namespaceUuid) {
      const count = counts.get(namespaceUuid)
      if (count === undefined) return
      total--
      if (count > 1) counts.set(namespaceUuid, count - 1)
      else counts.delete(namespaceUuid)
    },
    full(namespaceUuid) {
      if (total < max) return false
      const own = counts.get(namespaceUuid) ?? 0
      return total >= 2 * max || own >= max / (counts.size + (own === 0 ? 1 : 0))
    },
    clear() {
      counts.clear()
      total = 0
    },
  }
}
