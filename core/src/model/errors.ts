/** Codes are public API: add, never rename. A test compares this table with docs/reference/errors.md. */
export const errorCodes = {
  SLUICE_CONFLICT: {
    status: 409,
    retryable: false,
    meaning: 'The document was changed by somebody else since it was read.',
  },
  SLUICE_NOT_FOUND: { status: 404, retryable: false, meaning: 'The document does not exist (any more).' },
  SLUICE_TOO_LARGE: { status: 413, retryable: false, meaning: 'A message, document or body is over its bound.' },
  SLUICE_OVERLOADED: { status: 429, retryable: true, meaning: 'A queue is full; try again later.' },
  SLUICE_BACKLOG: {
    status: 429,
    retryable: true,
    meaning: 'The namespace has too many events waiting to be worked off.',
  },
  SLUICE_NO_INVOKER: { status: 503, retryable: true, meaning: 'No invoker can take work now.' },
  SLUICE_BUS_UNAVAILABLE: { status: 503, retryable: true, meaning: 'The message bus did not confirm a write.' },
  SLUICE_STORE_UNAVAILABLE: { status: 503, retryable: true, meaning: 'The store did not confirm a read or write.' },
  SLUICE_STORE_CORRUPT: { status: 500, retryable: false, meaning: 'Stored bytes do not match their checksum.' },
  SLUICE_CLOSED: { status: 503, retryable: true, meaning: 'The part is shutting down.' },
  SLUICE_CONTAINER_START: { status: 500, retryable: true, meaning: 'An action container could not be started.' },
  SLUICE_IMAGE_PULL: { status: 500, retryable: false, meaning: 'The image that an action names could not be pulled.' },
  SLUICE_IMAGE_COMMAND: {
    status: 500,
    retryable: false,
    meaning: 'The image that an action names has no program to start.',
  },
  SLUICE_CONTAINER_LOST: {
    status: 500,
    retryable: true,
    meaning: 'An action container went away before a run was sent.',
  },
  SLUICE_SECRET_UNREADABLE: {
    status: 500,
    retryable: false,
    meaning: 'A stored secret cannot be decrypted with the keys at hand.',
  },
  SLUICE_CONFIG: { status: 500, retryable: false, meaning: 'The configuration has mistakes; all are listed.' },
  SLUICE_DATA_DIR: {
    status: 500,
    retryable: false,
    meaning: 'The data directory cannot be used (not writable, in use, damaged).',
  },
  SLUICE_ADDRESS_IN_USE: { status: 500, retryable: false, meaning: 'The port is taken by another process.' },
  SLUICE_FEED_PARAMETER: { status: 400, retryable: false, meaning: 'A feed parameter is missing or wrong.' },
  SLUICE_FEED_AUTH: { status: 401, retryable: false, meaning: 'The key given to a feed may not use the trigger.' },
  SLUICE_FEED_SUPERSEDED: { status: 409, retryable: false, meaning: 'A later lifecycle call won over this one.' },
  SLUICE_REQUEST: { status: 500, retryable: true, meaning: 'A request to the hub failed before it was answered.' },
  SLUICE_FENCED: { status: 409, retryable: false, meaning: 'A write came from an owner whose lease is over.' },
} as const

export type ErrorCode = keyof typeof errorCodes

/** An error of Sluice's own: code branches on `code`, people read `message`. */
export class SluiceError extends Error {
  override readonly name = 'SluiceError'
  readonly code: ErrorCode
  constructor(code: ErrorCode, message: string, options?: ErrorOptions) {
    super(message, options)
    this.code = code
  }
  get status(): number {
    return errorCodes[this.code].status
  }
  get retryable(): boolean {
    return errorCodes[this.code].retryable
  }
}

/** True for a SluiceError with this code. */
export function isSluiceError(error: unknown, code: ErrorCode): error is SluiceError {
  return error instanceof SluiceError && error.code === code
}

/** An answer of the REST API other than success: status and OpenWhisk's text (rest-api.md §1.5). `rejection` marks the
 *  answers that carry no CORS headers (§1.7), `retryAfterSeconds` those that say when to come again. */
export class ApiError extends Error {
  override readonly name = 'ApiError'
  readonly status: number
  readonly rejection: boolean
  readonly retryAfterSeconds: number | undefined
  constructor(
    status: number,
    text: string,
    options?: ErrorOptions & { rejection?: boolean; retryAfterSeconds?: number | undefined },
  ) {
    super(text, options)
    this.status = status
    this.rejection = options?.rejection ?? false
    this.retryAfterSeconds = options?.retryAfterSeconds
  }
}
