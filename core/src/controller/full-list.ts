import { setImmediate } from 'node:timers/promises'
import { bounds, SluiceError, stringifyJson } from '../model/index.ts'
import type { Answer } from './answers.ts'

/**
 * Answers with a JSON array of large items: each is read, written as text and given to the client before the next one, and
 * everybody else has a turn in between. So the memory that it takes is that of one item, and of few lists at once.
 */
export class FullLists {
  readonly #running = new Map<string, number>()
  #total = 0

  /** Rejects with what `read` rejects with, and with SLUICE_OVERLOADED when too many run. */
  async answer<T>(
    namespace: string,
    read: () => Promise<AsyncIterable<T>>,
    view: (item: T) => unknown,
  ): Promise<Answer> {
    const done = this.#enter(namespace)
    try {
      return { status: 200, parts: { texts: arrayText(await read(), view), done } }
    } catch (error) {
      done()
      throw error
    }
  }

  #enter(namespace: string): () => void {
    const { fullListsMax, fullListsPerNamespaceMax } = bounds.api
    const running = this.#running.get(namespace) ?? 0
    if (running >= fullListsPerNamespaceMax || this.#total >= fullListsMax) {
      throw new SluiceError('SLUICE_OVERLOADED', 'Too many lists of whole records are being read; try again later.')
    }
    this.#running.set(namespace, running + 1)
    this.#total++
    return () => {
      this.#total--
      const left = (this.#running.get(namespace) ?? 1) - 1
      if (left > 0) this.#running.set(namespace, left)
      else this.#running.delete(namespace)
    }
  }
}

async function* arrayText<T>(items: AsyncIterable<T>, view: (item: T) => unknown): AsyncGenerator<string> {
  let before = '['
  for await (const item of items) {
    await setImmediate()
    yield before + stringifyJson(view(item))
    before = ','
  }
  yield before === '[' ? '[]' : ']'
}
