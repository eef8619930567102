/** Keeps code that is too big to ride in an entity (over 16 KiB), by entity id and a name that changes with the content. */
export interface AttachmentStore {
  /** Resolves once the bytes are durable. The same id and name may be put again: the content is the same. */
  put(id: string, name: string, body: Uint8Array): Promise<void>
  get(id: string, name: string): Promise<Uint8Array | undefined>
  /** Deletes all attachments of the entity except `keep`. */
  delete(id: string, keep?: string): Promise<void>
  close(): Promise<void>
}
