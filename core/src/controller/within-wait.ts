import type { Clock } from '../spi/index.ts'

/** The value, or nothing when it takes longer. */
export function withinWait<T>(work: Promise<T>, waitMs: number, clock: Clock): Promise<T | undefined> {
  return new Promise((resolve, reject) => {
    const timer = clock.setTimer(waitMs, () => resolve(undefined))
    work.then(
      value => {
        timer.cancel()
        resolve(value)
      },
      (error: unknown) => {
        timer.cancel()
        reject(error instanceof Error ? error : new Error(String(error)))
      },
    )
  })
}
