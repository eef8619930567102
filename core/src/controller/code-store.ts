import { createHash } from 'node:crypto'
import { ApiError, bounds, messages, type CodeExec, type Exec } from '../model/index.ts'
import type { AttachmentStore } from '../spi/index.ts'

/** Code of actions: small code rides in the document, the rest is an attachment named after its content. */
export interface CodeStore {
  /** Makes the code durable if it is big; gives the exec as it goes into the document. */
  keep(id: string, exec: Exec): Promise<Exec>
  /** The code, wherever it lies. Throws 500 when the attachment is gone. */
  read(id: string, exec: Exec): Promise<string | undefined>
  /** Deletes what the exec does not use. */
  tidy(id: string, exec?: Exec): Promise<void>
}

export function createCodeStore(attachments: AttachmentStore): CodeStore {
  return {
    async keep(id, exec) {
      if (!isCode(exec) || exec.code === undefined) return exec
      const bytes = Buffer.from(exec.code)
      if (bytes.length <= bounds.store.inlineCodeBytesMax) return exec
      const name = createHash('sha256').update(bytes).digest('hex')
      await attachments.put(id, name, bytes)
      const { code: _, ...rest } = exec
      return { ...rest, attachment: { name, bytes: bytes.length } }
    },
    async read(id, exec) {
      if (!isCode(exec)) return undefined
      if (exec.attachment === undefined) return exec.code
      const bytes = await attachments.get(id, exec.attachment.name)
      if (bytes === undefined) throw new ApiError(500, messages.corrupted)
      return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('utf8')
    },
    async tidy(id, exec) {
      await attachments.delete(id, exec !== undefined && isCode(exec) ? exec.attachment?.name : undefined)
    },
  }
}

function isCode(exec: Exec): exec is CodeExec {
  return !('components' in exec)
}
