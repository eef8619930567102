import { onTestFinished } from 'vitest'
import { isSluiceError, type ErrorCode } from '../src/model/index.ts'

/** Opens the implementation under test. Suites use fresh names, so all tests may share one server. */
export type Opener<T> = () => Promise<Opened<T>>

export type Opened<T> = {
  subject: T
  /**
   * Given by implementations whose data outlive the process: ends the one that was opened, in good order (`close`) or as
   * a kill would (`crash`: nothing more is written or waited for), and opens the same data again.
   */
  reopen?: (how: 'close' | 'crash') => Promise<T>
  /** Lets go of what the test used; called once, after it. */
  dispose(): Promise<void>
}

/** Opens for one test. */
export async function opened<T>(open: Opener<T>): Promise<T> {
  return (await openedTwice(open)).subject
}

/** Opens for one test of data that outlive the process. */
export async function openedTwice<T>(
  open: Opener<T>,
): Promise<{ subject: T; reopen: (how: 'close' | 'crash') => Promise<T> }> {
  const { subject, reopen, dispose } = await open()
  onTestFinished(dispose)
  const missing = () => Promise.reject(new Error('this implementation does not outlive its process'))
  return { subject, reopen: reopen ?? missing }
}

let count = 0

/** A name that no other test uses. */
export function unique(name: string): string {
  return `${name}-${process.pid}-${performance.timeOrigin.toString(36).replace('.', '')}-${++count}`
}

/** Collects what happens, for a test to wait for. */
export type Recorder<T> = {
  add(value: T): void
  readonly all: readonly T[]
  /** The first `count` values, once they are there. Rejects after `timeoutMs`. */
  take(count: number, timeoutMs?: number): Promise<T[]>
}

export function recorder<T>(): Recorder<T> {
  const all: T[] = []
  const waiting = new Set<() => void>()
  return {
    all,
    add(value) {
      all.push(value)
      for (const look of waiting) look()
    },
    take(count, timeoutMs = 15_000) {
      return new Promise((resolve, reject) => {
        const timer = setTimeout(() => {
          waiting.delete(look)
          reject(new Error(`${all.length} of ${count} came within ${timeoutMs} ms: ${JSON.stringify(all)}`))
        }, timeoutMs)
        const look = () => {
          if (all.length < count) return
          waiting.delete(look)
          clearTimeout(timer)
          resolve(all.slice(0, count))
        }
        waiting.add(look)
        look()
      })
    },
  }
}

/** Something that a test decides when to finish. */
export function gate(): { passed: Promise<void>; open: () => void } {
  let open: () => void = () => undefined
  const passed = new Promise<void>(resolve => (open = resolve))
  return { passed, open }
}

/** Looks again and again until `probe` gives something other than undefined or false. Rejects after 15 s. */
export async function eventually<T>(probe: () => Promise<T | undefined | false>): Promise<T> {
  const end = performance.now() + 15_000
  for (;;) {
    const value = await probe()
    if (value !== undefined && value !== false) return value
    if (performance.now() > end) throw new Error('it did not come to pass within 15 s')
    await new Promise(resolve => setTimeout(resolve, 20))
  }
}

/** The code of the SluiceError with which the promise rejects, or `resolved`. */
export async function codeOf(promise: Promise<unknown>): Promise<ErrorCode | 'resolved'> {
  try {
    await promise
    return 'resolved'
  } catch (error) {
    const { code } = error as { code?: ErrorCode }
    if (code !== undefined && isSluiceError(error, code)) return code
    throw error
  }
}
