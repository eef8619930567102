import { bounds, SluiceError } from '../../model/index.ts'
import type { AttachmentStore } from '../../spi/index.ts'
import type { Database } from './database.ts'
import { ascending, endOf, keyOf, textOf } from './keys.ts'

/** Says that all pieces are there; written with the last of them. */
type Head = { bytes: number; pieces: number }

/** Attachments in pieces of base64, so that no single write or document is large. */
export function createAttachments(database: Database): AttachmentStore {
  const { commits } = database

  async function remove(id: string, name: string): Promise<void> {
    const prefix = pieceKey(id, name)
    const keys: string[] = []
    for await (const step of database.keySteps({ gte: prefix, lt: endOf(prefix) })) keys.push(...step)
    await commits.write(writer => {
      writer.del(headKey(id, name))
      for (const key of keys) writer.del(key)
    })
  }

  return {
    async put(id, name, body) {
      const size = bounds.store.attachmentPieceBytes
      if (body.byteLength > bounds.store.documentBytesMax) {
        throw new SluiceError(
          'SLUICE_TOO_LARGE',
          `An attachment is larger than ${bounds.store.documentBytesMax} bytes.`,
        )
      }
      const bytes = Buffer.from(body.buffer, body.byteOffset, body.byteLength)
      const head: Head = { bytes: bytes.length, pieces: Math.ceil(bytes.length / size) }
      for (let piece = 0; piece < head.pieces; piece++) {
        const text = bytes.toString('base64', piece * size, (piece + 1) * size)
        await commits.write(writer => writer.put(pieceKey(id, name, piece), JSON.stringify(text)))
      }
      await commits.write(writer => writer.put(headKey(id, name), JSON.stringify(head)))
    },
    async get(id, name) {
      const found = database.getSync(headKey(id, name))
      if (!found) return undefined
      const head = JSON.parse(found.body) as Head
      const body = Buffer.alloc(head.bytes)
      for (let piece = 0; piece < head.pieces; piece++) {
        const document = await database.get(pieceKey(id, name, piece))
        if (!document) return undefined
        body.write(JSON.parse(document.body) as string, piece * bounds.store.attachmentPieceBytes, 'base64')
      }
      return body
    },
    async delete(id, keep) {
      const prefix = keyOf('attachment', 'head', id, '')
      const names: string[] = []
      for await (const keys of database.keySteps({ gte: prefix, lt: endOf(prefix) })) {
        for (const key of keys) names.push(textOf(key.slice(prefix.length)))
      }
      for (const name of names) if (name !== keep) await remove(id, name)
    },
    close: () => commits.settled(),
  }
}

function headKey(id: string, name: string): string {
  return keyOf('attachment', 'head', id, name)
}

function pieceKey(id: string, name: string, piece?: number): string {
  return keyOf('attachment', 'piece', id, name, '') + (piece === undefined ? '' : ascending(piece))
}
