/** Lets containers wait until what earlier lives left is gone: it holds memory, and may still work on a run that comes
 *  again. */
export class CleanupGate {
  #over: Promise<unknown> = Promise.resolve()

  /** Closed until the cleanup is over, however it ends. Resolves and rejects as it does. */
  hold<T>(cleanup: Promise<T>): Promise<T> {
    this.#over = Promise.allSettled([this.#over, cleanup])
    return cleanup
  }

  /** Resolves when no cleanup is under way. Rejects with the signal's reason when that comes first. */
  async pass(signal: AbortSignal): Promise<void> {
    signal.throwIfAborted()
    await new Promise<void>((resolve, reject) => {
      const abort = (): void => reject(signal.reason instanceof Error ? signal.reason : new Error('aborted'))
      signal.addEventListener('abort', abort, { once: true })
      void this.#over.then(() => {
        signal.removeEventListener('abort', abort)
        resolve()
      })
    })
  }

  /** Resolves when every cleanup so far is over. */
  async passed(): Promise<void> {
    await this.#over
  }
}
