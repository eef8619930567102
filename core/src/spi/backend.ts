import type { ActivationStore } from './activation-store.ts'
import type { ArtifactStore } from './artifact-store.ts'
import type { AttachmentStore } from './attachment-store.ts'
import type { MessageBus } from './message-bus.ts'
import type { StateStore } from './state-store.ts'

/** Everything a hub keeps, opened together; nobody relies on atomicity across two of them (design.md §1). */
export type Backend = {
  readonly bus: MessageBus
  readonly artifacts: ArtifactStore
  readonly attachments: AttachmentStore
  readonly activations: ActivationStore
  readonly state: StateStore
  /** Closes all of them. May be called twice. */
  close(): Promise<void>
}
