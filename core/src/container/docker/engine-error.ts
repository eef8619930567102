/** What went wrong with a call to the engine. `refused`: it answered, with `status`; `away`: nobody answers at its
 *  address; `late`: no answer within the call's time limit. */
export class EngineError extends Error {
  override readonly name = 'EngineError'
  readonly reason: 'refused' | 'away' | 'late'
  readonly status: number

  constructor(reason: EngineError['reason'], message: string, status = 0, options?: ErrorOptions) {
    super(message, options)
    this.reason = reason
    this.status = status
  }
}

/** Turns what dockerode rejects with into an EngineError. */
export function engineError(what: string, error: unknown): EngineError {
  if (error instanceof EngineError) return error
  const { statusCode, json, message } = error as { statusCode?: number; json?: { message?: string }; message?: string }
  if (typeof statusCode === 'number') {
    // The engine's own sentence: dockerode's covers a missing image with "no such container".
    const said = (json?.message ?? message ?? '').slice(0, 500)
    return new EngineError('refused', `${what}: ${said}`, statusCode, { cause: error })
  }
  return new EngineError('away', `${what}: the container engine does not answer (${message ?? 'unknown'})`, 0, {
    cause: error,
  })
}

/** The object does not exist (any more). */
export function isMissing(error: unknown): boolean {
  return error instanceof EngineError && error.status === 404
}

/** Nobody answered: what was asked for may or may not have been done. */
export function isAway(error: unknown): boolean {
  return error instanceof EngineError && error.reason !== 'refused'
}
