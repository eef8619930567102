import type { Backend, Clock, Random } from '../../spi/index.ts'
import { createActivations } from './activations.ts'
import { createArtifacts } from './artifacts.ts'
import { createAttachments } from './attachments.ts'
import { createBus } from './bus.ts'
import { createState } from './state.ts'

/** Bus, stores and state in this process's memory, for tests: everything is gone when it is dropped. */
export function openMemoryBackend({ clock, random }: { clock: Clock; random: Random }): Backend {
  const bus = createBus(clock, random)
  return {
    bus,
    artifacts: createArtifacts(),
    attachments: createAttachments(),
    activations: createActivations(),
    state: createState(),
    close: () => bus.close(),
  }
}
