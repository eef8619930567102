import type { Config } from '@sluice/core/config'
import type { Logger } from '@sluice/core/spi'

/** A hub that has been started, as its main program sees it. */
export type Running = {
  /** The port that was bound; differs from the configured one when that was 0. */
  readonly port: number
  /** What clients put before `/api/v1`: `http://127.0.0.1:3233`, or the configured public address. */
  readonly apiHost: string
  /** `uuid:key` of namespace `guest`. */
  readonly guestKey: string
  /** What runs actions, in a line. */
  readonly containers: string
  /** Where operators come in, when not at `port`. */
  readonly operatorUrl?: string
  readonly events: HubEventFeed
  /** Stops accepting, lets running work finish, flushes, lets go of port, containers and data directory. May be called
   *  twice. Rejects when `drainMs` was not enough: nothing unfinished has been acknowledged then. */
  stop(): Promise<void>
}

/** Something happened that a person at the terminal wants to see: one line for each action that an event ran. */
export type HubEvent = {
  /** When it was accepted, epoch milliseconds. */
  readonly atMs: number
  /** Where it came from: `alarms`, `webhook`, `api`, or a CloudEvents source. */
  readonly source: string
  /** Absent for direct invokes. */
  readonly trigger?: string
  readonly rule?: string
  readonly action: string
  readonly durationMs: number
  /** The API's word: `success`, `application error`, `action developer error`, `whisk internal error`. */
  readonly status: string
  readonly activationId: string
}

export type HubEventFeed = {
  /** Calls `listener` for every event from now on; the answer ends it. A listener must not throw. */
  subscribe(listener: (event: HubEvent) => void): () => void
}

/** What the main program gives to the hub. */
export type StandaloneTools = {
  readonly log: Logger
  /** Call it when a part failed for good and this process can no longer do its work: the program logs, and ends. */
  readonly onFatal: (error: Error) => void
}

/**
 * Starts everything in this process: opens the data directory and the stores, the pool, the controller and the
 * providers, and resolves when requests are answered. On rejection nothing is left behind: no port, lock or container.
 * Rejects with SLUICE_DATA_DIR (not writable, in use by another process), SLUICE_ADDRESS_IN_USE (port taken) or
 * SLUICE_CONFIG; anything else is a bug.
 */
export type StartStandalone = (config: Config, tools: StandaloneTools) => Promise<Running>
