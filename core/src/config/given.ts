import type { SchemaNode } from './schema-node.ts'

/** What one source says, before it is checked: the same tree for a file, a variable and a flag. Every node knows its
 *  place, so that a mistake can be shown where it was made. */
export type Given =
  /** `text`: the value came from a shell, so `3233` and `true` are still strings. */
  | { readonly kind: 'scalar'; readonly place: string; readonly value: unknown; readonly text: boolean }
  | { readonly kind: 'map'; readonly place: string; readonly entries: readonly GivenEntry[] }
  | { readonly kind: 'list'; readonly place: string; readonly items: readonly Given[] }

export type GivenEntry = { readonly key: string; readonly place: string; readonly node: Given }

/** A mistake in the configuration: where, and what to do about it. */
export type Mistake = { readonly place: string; readonly text: string }

/** A tree in which `path` has the value that a shell gave as text. Lists and sections are given as JSON. */
export function givenText(
  schema: SchemaNode,
  path: readonly string[],
  text: string,
  place: string,
  mistakes: Mistake[],
): Given {
  let leaf: SchemaNode | undefined = schema
  for (const key of path) leaf = leaf?.properties?.[key]
  let node: Given = { kind: 'scalar', place, value: text, text: true }
  if (leaf?.type === 'array' || leaf?.type === 'object') {
    try {
      node = givenJson(JSON.parse(text) as unknown, place)
    } catch {
      mistakes.push({ place, text: `${path.join('.')} must be given as JSON here` })
      return { kind: 'map', place, entries: [] }
    }
  }
  for (const key of [...path].reverse()) node = { kind: 'map', place, entries: [{ key, place, node }] }
  return node
}

/** The tree of a JSON value, all at one place. */
export function givenJson(value: unknown, place: string): Given {
  if (Array.isArray(value)) return { kind: 'list', place, items: value.map(item => givenJson(item, place)) }
  if (value !== null && typeof value === 'object') {
    const entries = Object.entries(value).map(([key, inner]) => ({ key, place, node: givenJson(inner, place) }))
    return { kind: 'map', place, entries }
  }
  return { kind: 'scalar', place, value, text: false }
}
