/** What goes back over HTTP: a status and a body that is JSON already, so that it is serialised once. */
export type Answer = { readonly status: number; readonly body: string }

export function failure(status: number, error: string): Answer {
  return { status, body: JSON.stringify({ error }) }
}
