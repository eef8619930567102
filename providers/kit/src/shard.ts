/** Leases, ledgers and checkpoints are kept by shard (design.md §5). */
export const shardCount = 64

/** The shard of a subscription: FNV-1a over the UTF-16 units of its id. The same everywhere and for good. */
export function shardOf(id: string): number {
  let hash = 0x811c9dc5
  for (let index = 0; index < id.length; index++) hash = Math.imul(hash ^ id.charCodeAt(index), 0x01000193)
  return (hash >>> 0) % shardCount
}
