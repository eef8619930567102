/** Starts action containers. The pool decides when; the factory knows how (design.md §4, platform.md §13). */
export interface ContainerFactory {
  readonly capabilities: { readonly pause: boolean; readonly isolation: 'process' | 'container' }
  /** Whether containers of this kind can be started here (its runtime or image is there). */
  supports(kind: string): boolean
  /** Resolves when the container's process has been started; it may not accept connections yet (runtimes.md §1.1).
   *  `begins` is called when the start itself begins, behind all it had to wait for that says nothing of the next one:
   *  a cleanup, the engine's return, an image. Rejects with SLUICE_CONTAINER_START. */
  create(spec: ContainerSpec, signal: AbortSignal, begins?: () => void): Promise<Container>
  /** Containers with these labels that run now, also those a crashed invoker left: the pool adopts or destroys them. A
   *  factory whose containers cannot serve another process (their output has no reader) lists its own only and leaves
   *  the others to `cleanup`. */
  list(labels: Labels): Promise<Container[]>
  /** Destroys what earlier processes of this invoker left behind, never its own; resolves to how many containers. What is
   *  created meanwhile is started after that. What hubs left that are never started again goes too, a little later. */
  cleanup(): Promise<number>
  /** Destroys its containers; `create` rejects with SLUICE_CLOSED from now on. May be called twice. */
  close(): Promise<void>
}

export type Labels = Readonly<Record<string, string>>

export type ContainerSpec = {
  /** `wsk<invoker>_<counter>_<prefix>_<suffix>`, unique in this invoker. */
  name: string
  kind: string
  /** Image for factories that have images; user images are untrusted and may have to be pulled. */
  image: string
  userImage?: boolean
  /** Absent for stem cells until `assign`. */
  namespace?: string
  labels: Labels
  /** The complete environment the driver may give (runtimes.md §1.1): nothing else gets in. */
  env: Readonly<Record<string, string>>
  memoryMb: number
  cpuShares: number
  egress: 'none' | 'platform' | 'open'
}

export interface Container {
  readonly id: string
  readonly name: string
  readonly labels: Labels
  readonly endpoint: { socketPath: string } | { host: string; port: number }
  /** Resolves when the container's first process is gone, however it went, and its last output can be read. What it left
   *  running is ended too; `destroy` tells when. */
  readonly exited: Promise<ContainerExit>
  /** A stem cell becomes one action's container. */
  assign(namespace: string, action: string): Promise<void>
  /** The log lines that follow the last call, as they come. */
  readonly logs: LogStream
  /** Rejects with SLUICE_CONTAINER_LOST when the container is gone; so does `resume`. */
  suspend(): Promise<void>
  resume(): Promise<void>
  /** Ends the container and all its processes; resolves when they are gone. May be called twice. */
  destroy(): Promise<void>
}

/** `outside`: something other than the container itself and its factory ended it, such as an operator's hand or the end of
 *  its engine. What ran in it is not to blame. Factories that cannot tell never say so. */
export type ContainerExit = { code: number | null; signal?: string; oom: boolean; outside?: boolean }

/** Reads what a container prints. What comes while nobody reads belongs to the next read, up to a bound. */
export interface LogStream {
  /** Lines until `sentinels` sentinel lines were seen (they are removed), then resolves with `complete: true`.
   *  Resolves with `complete: false` after `idleMs` without a line or `totalMs` in all, or when the container is gone.
   *  Lines beyond `bytesMax` are dropped (`truncated: true`) but reading goes on to this run's own sentinels, so that
   *  nothing leaks into the next run (platform.md §12). `bytesMax` counts formatted lines in UTF-8 with a newline each;
   *  0 keeps none, which is no truncation. With `sentinels: 0` it takes what is there: it resolves, complete, once nothing
   *  came for a moment; sentinels are removed all the same. Sentinels that come after a read gave up end that run, not
   *  the next one. One reader at a time: a read made meanwhile waits for its turn. */
  read(options: LogReadOptions): Promise<LogRead>
}

export type LogReadOptions = { sentinels: number; bytesMax: number; idleMs: number; totalMs: number }
/** `lines` are formatted as in a record: time in 30 columns, space, stream, `: `, text (rest-api.md §6.5). */
export type LogRead = { lines: string[]; complete: boolean; truncated: boolean }

/** A line that ends a run's output on one stream (runtimes.md §1.5). */
export const logSentinel = 'XXX_THE_END_OF_A_WHISK_ACTIVATION_XXX'
