import type { IncomingMessage } from 'node:http'
import { ApiError, messages, type Identity } from '../model/index.ts'
import type { Answer } from './answers.ts'
import type { Query } from './query.ts'

/** One authenticated request on the way through a route. */
export type Call = {
  readonly request: IncomingMessage
  readonly transid: string
  readonly identity: Identity
  /** The real name: `_` was replaced. Empty for routes without a namespace. */
  readonly namespace: string
  /** Decoded segments after the collection, checked against the name grammar. */
  readonly names: readonly string[]
  readonly query: Query
}

/** A row of the route table: what it takes, who may, and what it does. */
export type Route = {
  readonly method: 'GET' | 'PUT' | 'POST' | 'DELETE'
  /** After `namespaces/{ns}/`; `''` for the list of namespaces. */
  readonly collection: string
  readonly shape: Shape
  /** Counts against a rate before anything else is looked at. */
  readonly throttle?: 'invoke' | 'fire'
  /** False for answers that are not JSON: they are not negotiated. */
  readonly json?: boolean
  readonly handle: (call: Call) => Answer | Promise<Answer>
}

/** How the segments after the collection look. */
export type Shape =
  | 'collection' // `` or `/`
  | 'entity' // `/name`
  | 'entity-or-slash' // `/name` or `/name/`
  | 'package' // `/name/`
  | 'packaged' // `/package/name`
  | { readonly below: string } // `/name/<word>`
  | { readonly word: string } // `/<word>`

/** The first segment after the collection: the routes that use it have one. */
export function firstName(call: Call): string {
  return call.names[0] ?? ''
}

/** A media type without its parameters, lower case; nothing when there is no header. */
export function mediaType(request: IncomingMessage): string | undefined {
  const header = request.headers['content-type']
  if (header === undefined) return undefined
  const semicolon = header.indexOf(';')
  return (semicolon < 0 ? header : header.slice(0, semicolon)).trim().toLowerCase()
}

/** Throws 415 for a body that is not JSON. `optional`: an empty body may have any type (rest-api.md §1.9). */
export function requireJson(request: IncomingMessage, bytes: Buffer, optional: boolean): void {
  const type = mediaType(request)
  if (type === 'application/json' || (bytes.length === 0 && (optional || type === undefined))) return
  const shown = request.headers['content-type']?.trim() || 'application/octet-stream'
  throw new ApiError(415, messages.unsupportedType(shown), { rejection: true })
}
