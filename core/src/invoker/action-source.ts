import { LRUCache } from 'lru-cache'
import { bounds, isSluiceError, type CodeExec, type WhiskAction } from '../model/index.ts'
import type { ArtifactStore, AttachmentStore } from '../spi/index.ts'

/** An action as an invoker runs it: its document and its code. */
export type RunnableAction = {
  readonly id: string
  readonly revision: string
  readonly action: WhiskAction
  readonly exec: CodeExec
  readonly code: string | undefined
}

/** Why an action gives no run: deleted, no runnable action in the store, no answer of the store. */
export type Unrunnable = 'gone' | 'unreadable' | 'unfetched'

export type ActionSource = {
  /** `gone` when the action was deleted, `unreadable` when what is stored is no runnable action. Rejects when the
   *  store gives no answer. */
  load(id: string, revision: string): RunnableAction | Promise<RunnableAction | 'gone' | 'unreadable'>
}

/** Reads actions and keeps them by revision, bounded by the bytes of their code. */
export function createActionSource(artifacts: ArtifactStore, attachments: AttachmentStore): ActionSource {
  const cache = new LRUCache<string, RunnableAction>({
    maxSize: bounds.invoker.codeCacheBytesMax,
    sizeCalculation: entry => 1024 + (entry.code?.length ?? 0),
  })
  const loading = new Map<string, Promise<RunnableAction | 'gone' | 'unreadable'>>()

  async function read(id: string, revision: string): Promise<RunnableAction | 'gone' | 'unreadable'> {
    let stored
    try {
      stored = await artifacts.get(id)
    } catch (error) {
      if (isSluiceError(error, 'SLUICE_STORE_CORRUPT')) return 'unreadable'
      throw error
    }
    if (!stored) return 'gone'
    const action = stored.document as unknown as WhiskAction
    if (action.entityType !== 'action' || action.exec.kind === 'sequence') return 'unreadable'
    const exec = action.exec as CodeExec
    let code = exec.code
    if (exec.attachment) {
      const bytes = await attachments.get(id, exec.attachment.name)
      if (!bytes) return 'unreadable'
      code = Buffer.from(bytes).toString()
    }
    const runnable = { id, revision: stored.revision, action, exec, code }
    cache.set(`${id} ${stored.revision}`, runnable)
    // Asked for by a revision that is over: whoever asks again finds the present one.
    if (stored.revision !== revision) cache.set(`${id} ${revision}`, runnable, { ttl: bounds.api.entityCacheTtlMs })
    return runnable
  }

  return {
    load(id, revision) {
      const key = `${id} ${revision}`
      const cached = cache.get(key)
      if (cached) return cached
      let pending = loading.get(key)
      if (!pending) {
        pending = read(id, revision).finally(() => loading.delete(key))
        loading.set(key, pending)
      }
      return pending
    },
  }
}
