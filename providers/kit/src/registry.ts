import { bounds, isSluiceError, SluiceError } from '@sluice/core/model'
import type { StateStore } from '@sluice/core/spi'
import type { SubscriptionDocument } from './subscription.ts'

export type Registered = { readonly id: string; readonly revision: string; readonly document: SubscriptionDocument }

/** The subscriptions of one provider, as documents `<provider>/sub/<ns>:<trigger>`. */
export function createRegistry(state: StateStore, provider: string) {
  const prefix = `${provider}/sub/`

  return {
    /** All of them, in pages, so that start-up never holds more than one page of raw documents. */
    async *all(): AsyncGenerator<Registered> {
      let after: string | undefined
      for (;;) {
        const page = await state.scan({ prefix, after, limit: bounds.feeds.loadPage })
        for (const entry of page) {
          yield {
            id: entry.key.slice(prefix.length),
            revision: entry.revision,
            document: entry.value as SubscriptionDocument,
          }
        }
        after = page.at(-1)?.key
        if (page.length < bounds.feeds.loadPage) return
      }
    },

    async get(id: string): Promise<Registered | undefined> {
      const entry = await state.get(prefix + id)
      return entry && { id, revision: entry.revision, document: entry.value as SubscriptionDocument }
    },

    /**
     * Reads, lets `change` make the next document from what is there (nothing: no write), and writes it if nobody was
     * quicker; else again, a bounded number of times. Resolves to what is stored afterwards.
     */
    async change(
      id: string,
      change: (now: Registered | undefined) => SubscriptionDocument | undefined,
    ): Promise<Registered | undefined> {
      for (let attempt = 0; attempt < bounds.feeds.casRetriesMax; attempt++) {
        const now = await this.get(id)
        const document = change(now)
        if (!document) return now
        try {
          return { id, document, revision: await state.put(prefix + id, document, now?.revision) }
        } catch (error) {
          if (!isSluiceError(error, 'SLUICE_CONFLICT')) throw error
        }
      }
      throw new SluiceError('SLUICE_CONFLICT', `subscription ${id} changes too often to be written`)
    },

    async remove(id: string): Promise<void> {
      await state.delete(prefix + id)
    },
  }
}

export type Registry = ReturnType<typeof createRegistry>
