import { SluiceError } from '../model/index.ts'
import type { StateStore } from '../spi/index.ts'

/** Whose lease a write rests on: the shard, and the token that went up when the lease changed hands. */
export type FencingToken = { readonly shard: number; readonly token: number }

type Fence = {
  highest: number
  /** What the store knows. */
  persisted: number
  raising?: Promise<void>
  readonly running: Set<Promise<unknown>>
}

/**
 * Refuses writes of an owner whose lease is over (feeds.md F3): the highest token of each shard is kept in memory and
 * in the store. A higher one waits for the lower owner's writes that are under way, so that none lands after it.
 */
export class Fences {
  readonly #state: StateStore
  readonly #fences = new Map<string, Promise<Fence>>()

  constructor(state: StateStore) {
    this.#state = state
  }

  /** Runs the write under the token. Rejects with SLUICE_FENCED when a higher one was seen. */
  async run<T>(provider: string, { shard, token }: FencingToken, write: () => Promise<T>): Promise<T> {
    const key = `fence/${provider}/${shard}`
    const fence = await this.#load(key)
    fence.highest = Math.max(fence.highest, token)
    while (fence.persisted < fence.highest) {
      fence.raising ??= this.#raise(key, fence).finally(() => (fence.raising = undefined))
      await fence.raising
    }
    if (token < fence.highest) {
      throw new SluiceError('SLUICE_FENCED', `shard ${shard} of ${provider} has an owner with token ${fence.highest}`)
    }
    const running = write()
    fence.running.add(running)
    try {
      return await running
    } finally {
      fence.running.delete(running)
    }
  }

  async #raise(key: string, fence: Fence): Promise<void> {
    const token = fence.highest
    await Promise.allSettled([...fence.running])
    await this.#state.put(key, { token }, 'any')
    fence.persisted = token
  }

  #load(key: string): Promise<Fence> {
    let fence = this.#fences.get(key)
    if (!fence) {
      fence = this.#state.get(key).then(entry => {
        const token = (entry?.value as { token: number } | undefined)?.token ?? 0
        return { highest: token, persisted: token, running: new Set() }
      })
      fence.catch(() => this.#fences.delete(key))
      this.#fences.set(key, fence)
    }
    return fence
  }
}
