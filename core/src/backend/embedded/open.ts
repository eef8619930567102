import { bounds } from '../../model/index.ts'
import type { Backend, Clock, Logger, Random } from '../../spi/index.ts'
import { openActivations } from './activations.ts'
import { createArtifacts } from './artifacts.ts'
import { createAttachments } from './attachments.ts'
import { createBus } from './bus.ts'
import type { Sabotage } from './commit-queue.ts'
import { openDatabase } from './database.ts'
import { openEngine, type Engine } from './engine.ts'
import { createMaintenance, type Retention } from './maintenance.ts'
import { createState } from './state.ts'

export type EmbeddedOptions = {
  /** Folder of the database; created if it is missing. */
  directory: string
  clock: Clock
  random: Random
  log: Logger
  /** Called once when the disk did not confirm a write: nothing is acknowledged any more, and the process must end.
   *  The next start reopens what was acknowledged. */
  onFatal: (error: Error) => void
  retention?: Partial<Retention>
  /** Tests only: `acknowledge-before-sync` takes the protection away, so that the kill test can prove itself. */
  sabotage?: Sabotage
  /** Tests only: puts something in the place of the database. */
  open?: (directory: string, log: Logger) => Promise<Engine>
}

/** So far, for the metrics. */
export type EmbeddedStats = {
  /** Synced batches and the operations in them. */
  commits: number
  operations: number
  /** Reads that met a value which does not match its checksum. */
  corruptions: number
  prunedRecords: number
  maintenanceFailures: number
  /** By topic: messages deleted because they were done or too old, and damaged ones that were set aside. */
  messages: ReadonlyMap<string, { readonly pruned: number; readonly quarantined: number }>
  activationBytes: number
}

export type EmbeddedBackend = Backend & {
  /** Begins to delete in the background what is done or too old. */
  startMaintenance(): void
  stats(): EmbeddedStats
}

/**
 * Bus, stores and state in one database on disk, for a hub in one process: everything acknowledged is on stable storage,
 * and all that waits shares one sync. Rejects with SLUICE_DATA_DIR when the folder is in use by another process, cannot
 * be written, is damaged beyond repair, or was written by a newer version.
 */
export async function openEmbeddedBackend(options: EmbeddedOptions): Promise<EmbeddedBackend> {
  const { directory, clock, random, log, onFatal, sabotage } = options
  const engine = await (options.open ?? openEngine)(directory, log)
  const database = await openDatabase(engine, { clock, log, onFatal, sabotage })
  const { commits } = database
  const bus = createBus(database, clock, random, log)
  const activations = await openActivations(database)
  const retention: Retention = {
    activationMs: options.retention?.activationMs ?? bounds.store.activationRetentionMs,
    activationBytes: options.retention?.activationBytes ?? bounds.store.activationBytesMax,
  }
  const maintenance = createMaintenance(bus, activations, retention, clock, log)

  async function close(): Promise<void> {
    await maintenance.stop()
    await bus.close()
    await commits.settled()
    await database.close()
  }

  let closing: Promise<void> | undefined
  return {
    bus,
    artifacts: createArtifacts(database, log),
    attachments: createAttachments(database),
    activations,
    state: createState(database, log),
    startMaintenance: () => maintenance.start(),
    stats: () => ({
      ...commits.counts,
      corruptions: database.corruptions,
      prunedRecords: maintenance.counts.prunedRecords,
      maintenanceFailures: maintenance.counts.failures,
      messages: bus.counts(),
      activationBytes: activations.bytes(),
    }),
    close: () => (closing ??= close()),
  }
}
