import { SluiceError } from '@sluice/core/model'

/** A lifecycle call that fails, with the provider's exact text. `detail` goes into `message` where the shape has one. */
export class FeedError extends Error {
  override readonly name = 'FeedError'
  readonly status: number
  readonly code: 'SLUICE_FEED_PARAMETER' | 'SLUICE_FEED_AUTH' | 'SLUICE_FEED_SUPERSEDED' | 'SLUICE_REQUEST'
  readonly detail?: string
  constructor(
    status: number,
    text: string,
    options: { code?: FeedError['code']; detail?: string; cause?: unknown } = {},
  ) {
    super(text, { cause: options.cause })
    this.status = status
    this.code = options.code ?? 'SLUICE_FEED_PARAMETER'
    this.detail = options.detail
  }
}

/** The 400 of a wrong or missing parameter. */
export function parameterError(text: string): FeedError {
  return new FeedError(400, text)
}

/** What a session's work rejects with when the subscription was closed under it. */
export function closedError(): SluiceError {
  return new SluiceError('SLUICE_CLOSED', 'the subscription is closed')
}
