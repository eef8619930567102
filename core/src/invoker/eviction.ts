import type { PooledContainer } from './pooled-container.ts'

/**
 * Idle containers whose memory gives another action its place: least recently used first, stem cells last, none of the
 * action's own. Nothing when all of them together would not be enough (platform.md §8.3).
 */
export function evictable(all: Iterable<PooledContainer>, key: string, needMb: number): PooledContainer[] {
  const idle = [...all].filter(
    ({ active, spec, state }) => active === 0 && (state === 'ready' || state === 'suspended') && spec?.key !== key,
  )
  idle.sort((a, b) => Number(a.spec === undefined) - Number(b.spec === undefined) || a.lastUsedMs - b.lastUsedMs)
  const chosen: PooledContainer[] = []
  let need = needMb
  for (const pooled of idle) {
    if (need <= 0) break
    chosen.push(pooled)
    need -= pooled.memoryMb
  }
  return need > 0 ? [] : chosen
}
