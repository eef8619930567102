import type { Container, ContainerSpec } from '../spi/index.ts'
import type { ContainerClient } from './container-client.ts'

/** What the pool needs to know of an action to place its runs. Equal keys may share containers: namespace, action and
 *  revision (reliability.md §6.5.6). */
export type ActionSpec = {
  readonly key: string
  readonly namespace: string
  readonly namespaceUuid: string
  /** Action name without namespace; part of the container's name. */
  readonly name: string
  readonly kind: string
  readonly image: string
  readonly userImage: boolean
  readonly memoryMb: number
  readonly concurrency: number
  /** It has to reach the public API, also where others reach nothing. */
  readonly needsApi?: boolean
}

/** What a container for the action, or a stem cell, reaches where others reach `usual`. */
export function egressOf(
  spec: Pick<ActionSpec, 'needsApi'> | undefined,
  usual: ContainerSpec['egress'],
): ContainerSpec['egress'] {
  return usual === 'none' && spec?.needsApi === true ? 'platform' : usual
}

/**
 * A container with its place in the pool. States: `ready` takes runs; `initialising` belongs to the one run that sends
 * `/init`; `suspending`, `suspended`, `resuming` surround the freezer; `leaving` takes nothing any more.
 */
export type PooledContainer = {
  readonly container: Container
  readonly client: ContainerClient
  readonly kind: string
  readonly memoryMb: number
  /** Absent for a stem cell. */
  spec?: ActionSpec
  state: 'ready' | 'initialising' | 'suspending' | 'suspended' | 'resuming' | 'leaving'
  initialised: boolean
  /** When its `/init` was through. */
  servesSinceMs?: number
  active: number
  lastUsedMs: number
  readonly startedMs: number
}

/** A place that a run holds. */
export type Lease = {
  readonly pooled: PooledContainer
  readonly start: StartKind
  /** The run that found the container uninitialised tells that `/init` is through: others may enter. */
  initialised(): void
  /** `destroy` after a developer or platform error; runs still in there may finish, new ones do not enter. */
  release(fate: 'keep' | 'destroy'): void
}

export type StartKind = 'warm' | 'prewarmed' | 'cold'

/** Runs that may be added now. */
export function spareCapacity(pooled: PooledContainer): number {
  if (pooled.state === 'leaving' || pooled.state === 'suspending' || pooled.state === 'resuming') return 0
  if (!pooled.initialised) return pooled.active === 0 ? 1 : 0
  return Math.max(0, (pooled.spec?.concurrency ?? 1) - pooled.active)
}
