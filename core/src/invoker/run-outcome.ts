import { failures, parseJson, type ActivationResponse } from '../model/index.ts'

/**
 * Turns what a container answered, or did not, into an activation's response (platform.md §10.1, rest-api.md §5.8).
 */

/** What came of one call of `/init` or `/run`. `truncated.bytes` is what the container announced or sent. `outside`: the
 *  container was taken away from outside, which is no result of the action. */
export type CallOutcome =
  | {
      readonly kind: 'answer'
      readonly status: number
      readonly body: string
      readonly truncated?: { readonly bytes: number; readonly max: number }
    }
  | { readonly kind: 'timeout' }
  | { readonly kind: 'lost'; readonly oom: boolean; readonly outside: boolean }

/** The response of a run that got as far as `/run`. `timeoutMs` is the action's limit. */
export function runResponse(outcome: CallOutcome, timeoutMs: number): ActivationResponse {
  if (outcome.kind === 'timeout') return failed(2, failures.runTimeout(timeoutMs))
  if (isLostFromOutside(outcome)) return failed(3, failures.runExited)
  if (outcome.kind === 'lost') return failed(2, outcome.oom ? failures.memory : failures.runExited)
  const { status, body, truncated } = outcome
  if (truncated)
    return { ...failed(1, failures.truncated(truncated.bytes, truncated.max, body)), size: truncated.bytes }
  const size = body === '' ? {} : { size: body.length }
  const result = jsonContainer(body)
  if (status !== 200) {
    return { ...(hasError(result) ? failed(2, result.error) : failed(2, failures.invalidResponse(body))), ...size }
  }
  if (result === undefined) return { ...failed(2, failures.invalidResponse(body)), ...size }
  if (hasError(result)) return { ...failed(1, result.error), ...size }
  return { statusCode: 0, result, ...size }
}

/** Whether the run came to no end because something other than the container, its action and its limits ended it. */
export function isLostFromOutside(outcome: CallOutcome): boolean {
  return outcome.kind === 'lost' && outcome.outside && !outcome.oom
}

/** The response of a run whose `/init` failed, or nothing when it succeeded. */
export function initFailure(outcome: CallOutcome, timeoutMs: number): ActivationResponse | undefined {
  if (outcome.kind === 'timeout') return failed(2, failures.initTimeout(timeoutMs))
  if (outcome.kind === 'lost') return failed(2, outcome.oom ? failures.memory : failures.initExited)
  const { status, body, truncated } = outcome
  if (truncated)
    return { ...failed(2, failures.truncated(truncated.bytes, truncated.max, body)), size: truncated.bytes }
  if (status === 200) return undefined
  const result = jsonContainer(body)
  const response = hasError(result) ? failed(2, result.error) : failed(2, failures.initFailed(body))
  return body === '' ? response : { ...response, size: body.length }
}

/** A response that is an error. `error` may be any JSON value. */
export function failed(statusCode: 1 | 2 | 3, error: unknown): ActivationResponse {
  return { statusCode, result: { error } }
}

/** The body as object or array, or nothing when it is neither. */
function jsonContainer(body: string): object | undefined {
  try {
    const value = parseJson(body)
    return typeof value === 'object' && value !== null ? value : undefined
  } catch {
    return undefined
  }
}

function hasError(result: object | undefined): result is { error: unknown } {
  return result !== undefined && !Array.isArray(result) && Object.hasOwn(result, 'error')
}
