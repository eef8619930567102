import { SluiceError } from '@sluice/core/model'

/** A parameter is missing or wrong; `text` is what the user reads, word for word (feeds.md §2.1). */
export function parameterError(text: string): SluiceError {
  return new SluiceError('SLUICE_FEED_PARAMETER', text)
}
