/** Chance as the hub sees it, so that a seed replays a run. */
export interface Random {
  /** Uniform in [0, 1). */
  fraction(): number
  /** 32 lower-case hex digits: an activation id (platform.md §2). */
  hexId(): string
  /** `length` characters of `[A-Za-z0-9]`, fit for a key. */
  alphanumeric(length: number): string
  /** A random (version 4) UUID. */
  uuid(): string
}
