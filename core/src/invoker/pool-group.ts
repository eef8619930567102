import type { JobQueue } from './job-queue.ts'
import { spareCapacity, type ActionSpec, type PooledContainer } from './pooled-container.ts'

/** Everything of one key: its containers and the runs that wait for one. */
export type Group = {
  readonly spec: ActionSpec
  readonly containers: Set<PooledContainer>
  readonly jobs: JobQueue
  starting: number
  /** The runs that hold a place. */
  readonly running: Set<{ sinceMs: number }>
  /** Smoothed time that a run holds its place, `/init` left out; unknown until the first one has ended. */
  runMs: number | undefined
  /** Its place in the line of those that want a container: counted up when it comes, gets one, or gives one up. */
  turn: number
  /** Set while the queue is to be looked at again, should its head wait for long. */
  look: { cancel(): void } | undefined
}

/** Containers that are there or starting. */
export function held(group: Group): number {
  return group.containers.size + group.starting
}

/** The most recently used container with room: the others cool down and can be paused. */
export function freeContainer(group: Group): PooledContainer | undefined {
  let best: PooledContainer | undefined
  for (const pooled of group.containers) {
    if (spareCapacity(pooled) === 0) continue
    if (
      !best ||
      (best.state === 'suspended' && pooled.state === 'ready') ||
      (best.state === pooled.state && pooled.lastUsedMs > best.lastUsedMs)
    )
      best = pooled
  }
  return best
}

/** Runs that containers on their way will take: new ones, and what one in its `/init` or waking up has room for. */
export function promised({ spec, starting, containers }: Group): number {
  let places = starting * spec.concurrency
  if (spec.concurrency === 1) return places
  for (const { state, initialised, active } of containers) {
    if (state === 'initialising') places += spec.concurrency - active
    else if (state === 'resuming' && initialised) places += spec.concurrency - 1
  }
  return places
}

/** Memory of containers that are there or starting, by namespace. */
export function memoryOfNamespaces(groups: Iterable<Group>): Map<string, number> {
  const mb = new Map<string, number>()
  for (const group of groups) {
    const { namespaceUuid, memoryMb } = group.spec
    mb.set(namespaceUuid, (mb.get(namespaceUuid) ?? 0) + held(group) * memoryMb)
  }
  return mb
}

/** Whether `other` has a better claim to a place than `group`: between namespaces memory counts, within one containers. */
export function holdsLess(other: Group, group: Group, groups: Iterable<Group>): boolean {
  if (other.spec.namespaceUuid === group.spec.namespaceUuid) return other.containers.size <= group.containers.size
  const mb = memoryOfNamespaces(groups)
  return (mb.get(other.spec.namespaceUuid) ?? 0) + other.spec.memoryMb <= (mb.get(group.spec.namespaceUuid) ?? 0)
}

/** The namespaces that hold the least first; of one, the actions with the fewest containers; then those that got one the
 *  longest ago, so that nobody starves (reliability.md §6.4.5). */
export function inTurn(wanting: Iterable<Group>, groups: Iterable<Group>): Group[] {
  const mb = memoryOfNamespaces(groups)
  const ofNamespace = ({ spec }: Group): number => mb.get(spec.namespaceUuid) ?? 0
  return [...wanting].sort((a, b) => ofNamespace(a) - ofNamespace(b) || held(a) - held(b) || a.turn - b.turn)
}
