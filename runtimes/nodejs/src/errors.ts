import { inspect } from 'node:util'

/** The code cannot become an action; the message says all, so no stack is shown (runtimes.md §5.1). */
export class LoadError extends Error {
  override readonly name = 'LoadError'
}

/** The error as a person debugging the action wants to read it: with its stack where there is one. */
export function errorDetails(error: unknown): string {
  if (error instanceof LoadError) {
    return error.cause === undefined ? error.message : `${error.message}\n${errorDetails(error.cause)}`
  }
  if (typeof error === 'string') return error
  const stack = (error as { stack?: unknown } | null | undefined)?.stack
  return typeof stack === 'string' && stack !== '' ? stack : inspect(error)
}

/** The error as one line, for values that user code threw and that may resist being turned into text. */
export function errorText(error: unknown): string {
  try {
    return String(error)
  } catch {
    return inspect(error)
  }
}
