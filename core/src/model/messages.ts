/** OpenWhisk's fixed texts, word for word (rest-api.md §1.5, §3-§9; platform.md §10.1). */
export const messages = {
  noRoute: 'The requested resource could not be found.',
  missing: 'The requested resource does not exist.',
  missingNamed: (id: string) => `The requested resource '${id}' does not exist.`,
  unauthenticated: 'The resource requires authentication, which was not supplied with the request',
  authInvalid: 'The supplied authentication is invalid',
  notAuthorized: (resources: readonly string[]) =>
    `The supplied authentication is not authorized to access '${[...resources].sort().join(', ')}'.`,
  kindNotAllowed: (kind: string) =>
    `The supplied authentication is not authorized to access actions of kind '${kind}'.`,
  conflictExists: 'resource already exists',
  concurrentModification: 'Concurrent modification to resource detected.',
  wrongCollection: 'Resource by this name exists but is not in this collection.',
  corrupted: 'Resource is corrupted and cannot be read.',
  malformed: (detail: string) => `The request content was malformed:\n${detail}`,
  queryMalformed: (name: string, detail: string) => `The query parameter '${name}' was malformed:\n${detail}`,
  unsupportedType: (type: string) =>
    `The request's Content-Type [${type}] is not supported. Expected:\napplication/json`,
  notAcceptable: 'Resource representation is only available with these types:\napplication/json',
  requestTooLarge: (bytes: number, max: number) => `Request larger than allowed: ${bytes} > ${max} bytes.`,
  fieldTooLarge: (field: string, bytes: number, max: number) =>
    `${field} larger than allowed: ${bytes} > ${max} bytes.`,
  execUndefined: 'exec undefined',
  runtimeDeprecated: (kind: string) =>
    `The '${kind}' runtime is no longer supported. You may read and delete but not update or invoke this action.`,
  finalParameters: 'Request defines parameters that are not allowed (e.g., reserved properties).',
  blockingTimeout: 'Timeout must be number of milliseconds up to 60000.',
  tooManyRequests: (count: number, allowed: number) =>
    `Too many requests in the last minute (count: ${count}, allowed: ${allowed}).`,
  tooManyConcurrent: (count: number, allowed: number) =>
    `Too many concurrent requests in flight (count: ${count}, allowed: ${allowed}).`,
  internal: 'There was an internal server error.',
  unavailable: 'The server is currently unavailable (because it is overloaded or down for maintenance).',
  overloaded: 'The user has sent too many requests in a given amount of time.',
  bindingWrite: 'Operation not permitted on package binding.',
  feedName: 'Feed name is not valid',
  ruleInactive: (rule: string, action: string) => `Rule '${rule}' is inactive, action '${action}' was not activated.`,
  identityConflict: 'An event with this source and id exists with other content.',
  keyConflict: 'This Idempotency-Key was used with another payload.',
  batchOverRate: (events: number, allowed: number) =>
    `A batch of ${events} events can never be accepted: the namespace takes ${allowed} events a minute. Send at most ${allowed} in a request.`,
  tooManyFires:
    'These events fire more triggers than one request may, or with more data; send fewer of them in a request.',
} as const

/** Texts of an activation's `error` (platform.md §10.1, rest-api.md §5.8). */
export const failures = {
  provision: 'Failed to provision resources to run the action.',
  imageCommand: (image: string) => `executable file not found in image ${image}`,
  pull: (image: string) => `Failed to pull container image '${image}'.`,
  initTimeout: (ms: number) => `The action exceeded its time limits of ${ms} milliseconds during initialization.`,
  runTimeout: (ms: number) => `The action exceeded its time limits of ${ms} milliseconds.`,
  initFailed: (body: string) =>
    body === '' || body === 'null'
      ? 'The action failed during initialization.'
      : `The action failed during initialization: ${body}`,
  initExited: 'The action did not initialize and exited unexpectedly.',
  runExited: 'The action did not produce a valid response and exited unexpectedly.',
  memory: 'The action exhausted its memory and was aborted.',
  invalidResponse: (body: string) =>
    body === ''
      ? 'The action did not produce a valid JSON or JSON Array response.'
      : `The action did not produce a valid JSON or JSON Array response: ${body}`,
  truncated: (bytes: number, max: number, head: string) =>
    `The action produced a response that exceeded the allowed length: ${bytes} > ${max} bytes. The truncated response was: ${head}`,
  actionGone: 'Action could not be found or may have been deleted.',
  actionVersion: 'Action version is not compatible and cannot be invoked.',
  actionFetch: 'Action could not be fetched.',
  logsTruncated: (bytes: number) =>
    `Logs were truncated because the total bytes size exceeds the limit of ${bytes} bytes.`,
  logsMissing: 'There was an issue while collecting your logs. Data might be missing.',
  logsDeveloperError: 'The action did not initialize or run as expected. Log data might be missing.',
  /** Sluice's own: the hub stopped between sending `/run` and storing the outcome (platform.md I1, I2). */
  outcomeLost: 'The outcome of the run was lost because the invoker stopped while it was in progress.',
  tooManyFires:
    'These events fire more triggers than one request may, or with more data; send fewer of them in a request.',
} as const
