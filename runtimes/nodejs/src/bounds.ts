/** The runtime's limits, all in one place. Time limits of /init and /run belong to the invoker (runtimes.md §1.1). */
export const bounds = {
  /** A request body: base64 of 48 MiB of code is 64 MiB, and JSON comes on top (§1.1). */
  bodyBytesMax: 80 * 1024 * 1024,
  /** Entries of an action archive (§4.3). */
  archiveEntriesMax: 100_000,
  /** Bytes of an action archive once unpacked (§4.3). */
  archiveBytesMax: 1024 * 1024 * 1024,
  /** A symbolic link's target inside an archive: Linux allows no longer path. */
  linkBytesMax: 4096,
  /** `npm install` at init, where it is switched on (§5.1). */
  installMsMax: 120_000,
  /** Connections of the action to the hub's API at once. */
  doorConnectionsMax: 256,
  /** How often a container that is a process looks whether its hub is still there. */
  parentLookMs: 1000,
} as const
