import type { AttachmentStore } from '../../spi/index.ts'

export function createAttachments(): AttachmentStore {
  const bodies = new Map<string, Map<string, Uint8Array>>()
  return {
    async put(id, name, body) {
      const ofEntity = bodies.get(id) ?? new Map<string, Uint8Array>()
      bodies.set(id, ofEntity.set(name, Uint8Array.from(body)))
    },
    get: async (id, name) => bodies.get(id)?.get(name),
    async delete(id, keep) {
      for (const name of bodies.get(id)?.keys() ?? []) if (name !== keep) bodies.get(id)?.delete(name)
    },
    close: async () => undefined,
  }
}
