import { bounds } from '../model/index.ts'
import type { Clock, ContainerFactory, ContainerSpec } from '../spi/index.ts'
import { createContainerClient } from './container-client.ts'
import { egressOf, type ActionSpec, type PooledContainer } from './pooled-container.ts'

export type StarterOptions = {
  readonly factory: ContainerFactory
  readonly clock: Clock
  /** Number of this invoker; part of every container's name. */
  readonly instance: number
  readonly labels: Readonly<Record<string, string>>
  readonly userMemoryMb: number
  /** What containers reach, but for those of actions that need more. */
  readonly egress: ContainerSpec['egress']
  /** The environment of every container (runtimes.md §1.1). */
  readonly environment: (spec: { concurrency: number }) => Readonly<Record<string, string>>
}

/** What is started: for an action, or a stem cell of a kind. */
export type Start = { kind: string; image: string; memoryMb: number; spec: ActionSpec | undefined }

/** Starts containers for the pool, which counts their memory. */
export function createContainerStarter(
  options: StarterOptions,
): (start: Start, stop: AbortSignal) => Promise<PooledContainer> {
  const { clock, factory } = options
  let counter = 0

  /** platform.md §9 */
  function nameOf({ kind, spec }: Start): string {
    return `wsk${options.instance}_${++counter}_${sane(spec?.namespace ?? 'prewarm')}_${sane(spec?.name ?? kind)}`
  }

  return async (start, stop) => {
    const { kind, image, memoryMb, spec } = start
    let startedMs = clock.monotonicMs()
    const concurrency = spec?.concurrency ?? 1
    const container = await factory.create(
      {
        name: nameOf(start),
        kind,
        image,
        userImage: spec?.userImage ?? false,
        ...(spec ? { namespace: spec.namespace } : {}),
        labels: options.labels,
        env: options.environment({ concurrency }),
        memoryMb,
        cpuShares: Math.max(Math.floor(1024 / (options.userMemoryMb / memoryMb)), 2),
        egress: egressOf(spec, options.egress),
      },
      AbortSignal.any([stop, AbortSignal.timeout(bounds.invoker.createTimeoutMs)]),
      () => (startedMs = clock.monotonicMs()),
    )
    return {
      container,
      client: createContainerClient(container, clock, bounds.invoker.initRetryMs, concurrency),
      kind,
      memoryMb,
      state: 'ready',
      initialised: false,
      active: 0,
      lastUsedMs: clock.monotonicMs(),
      startedMs,
    }
  }
}

/** Letters, digits and underscore only: the name goes to drivers (platform.md §9). */
function sane(text: string): string {
  return text.replace(/[^A-Za-z0-9_]/g, '').slice(0, 64)
}
