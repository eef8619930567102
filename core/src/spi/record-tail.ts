import type { ActivationRecord } from '../model/index.ts'

/** Tells whoever waits in this process of records that have just become durable (design.md §3.6, §3.8). */
export interface RecordTail {
  tell(record: ActivationRecord): void
  /** Calls `fn` for every record from now on; returns how to stop. */
  listen(fn: (record: ActivationRecord) => void): () => void
}

/** The tail of one process. A listener that throws does not keep the others from hearing. */
export function createRecordTail(onError: (error: unknown) => void): RecordTail {
  const listeners = new Set<(record: ActivationRecord) => void>()
  return {
    tell(record) {
      for (const listener of listeners) {
        try {
          listener(record)
        } catch (error) {
          onError(error)
        }
      }
    },
    listen(fn) {
      listeners.add(fn)
      return () => void listeners.delete(fn)
    },
  }
}
