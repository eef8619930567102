import { ApiError, isActivationId, messages, parseEntityName, parseNamespace } from '../model/index.ts'
import type { Route, Shape } from './call.ts'

/**
 * Brings a path to its row, in OpenWhisk's order of checks (rest-api.md §1.8, §1.10): namespace syntax, shape and
 * method, then names. Names are percent-decoded once, after the path was split.
 */
export type RouteTable = {
  /** `path` begins after `/api/v1`. Throws the 404 of an unknown route, or the 400 of a wrong name. */
  match(method: string, path: string, ownNamespace: string): Match
}

export type Match = { readonly route: Route; readonly namespace: string; readonly names: readonly string[] }

export function createRouteTable(routes: readonly Route[]): RouteTable {
  const byCollection = new Map<string, Route[]>()
  for (const route of routes) {
    byCollection.set(route.collection, [...(byCollection.get(route.collection) ?? []), route])
  }
  const namespaceList = byCollection.get('')?.[0]

  return {
    match(method, path, ownNamespace) {
      const segments = path.split('/')
      if (segments[0] !== '' || segments[1] !== 'namespaces') throw noRoute()
      if (segments.length < 4) {
        const isList = segments.length === 2 || segments[2] === ''
        if (!isList || namespaceList === undefined || method !== 'GET') throw noRoute()
        return { route: namespaceList, namespace: '', names: [] }
      }
      const collection = decodeSegment(segments[3] ?? '')
      const rows = collection === '' ? undefined : byCollection.get(collection)
      const namespaceText = decodeSegment(segments[2] ?? '')
      if (rows === undefined || namespaceText === '') throw noRoute()
      // The matcher takes the `_` and then expects a slash (rest-api.md §2.2).
      if (namespaceText.startsWith('_') && namespaceText !== '_') throw noRoute()
      const namespace = namespaceText === '_' ? ownNamespace : parseNamespace(namespaceText)
      const rest = segments.slice(4)
      for (const row of rows) {
        if (row.method === method && fits(row.shape, rest)) return { route: row, namespace, names: namesOf(row, rest) }
      }
      throw noRoute()
    },
  }
}

function noRoute(): ApiError {
  return new ApiError(404, messages.noRoute, { rejection: true })
}

function fits(shape: Shape, rest: readonly string[]): boolean {
  const [first, second] = rest
  switch (shape) {
    case 'collection':
      return rest.length === 0 || (rest.length === 1 && first === '')
    case 'entity':
      return rest.length === 1 && first !== ''
    case 'entity-or-slash':
      return first !== '' && (rest.length === 1 || (rest.length === 2 && second === ''))
    case 'package':
      return rest.length === 2 && first !== '' && second === ''
    case 'packaged':
      return rest.length === 2 && first !== '' && second !== ''
  }
  if ('word' in shape) return rest.length === 1 && first === shape.word
  return rest.length === 2 && first !== '' && second === shape.below
}

function namesOf(row: Route, rest: readonly string[]): readonly string[] {
  if (rest.length === 0) return rest
  const texts = rest.filter(text => text !== '').map(decodeSegment)
  if (row.collection === 'limits') return texts
  if (typeof row.shape !== 'string' && 'word' in row.shape) return []
  if (row.collection === 'activations') return texts.slice(0, 1).map(parseActivationId)
  return texts.map(parseEntityName)
}

function parseActivationId(text: string): string {
  const refuse = (detail: string) => new ApiError(400, detail, { rejection: true })
  if (text.length !== 32) throw refuse(`Activation id length is ${text.length} but must be 32.`)
  if (!isActivationId(text)) throw refuse('The activation id is not valid.')
  return text
}

function decodeSegment(segment: string): string {
  if (!segment.includes('%')) return segment
  try {
    return decodeURIComponent(segment)
  } catch {
    throw new ApiError(400, 'The request path is malformed: illegal percent-encoding', { rejection: true })
  }
}
