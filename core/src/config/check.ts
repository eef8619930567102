import type { Given, Mistake } from './given.ts'
import { eachLeaf, rootNode, type SchemaNode } from './schema-node.ts'
import { suggest } from './suggest.ts'

/** Where each setting was given last, by its dotted path. */
export type Places = Map<string, string>

/**
 * The plain value of what one source gave, with everything that is wrong with it added to `mistakes`. Settings that
 * were not given are left out; wrong ones too.
 */
export function check(node: SchemaNode, given: Given, mistakes: Mistake[], places: Places, path = ''): unknown {
  places.set(path, given.place)
  if (given.kind === 'scalar' && given.value === null) return undefined
  if (node.properties !== undefined) return checkSection(node, given, mistakes, places, path)
  if (node.items !== undefined) return checkList(node, given, mistakes, places, path)
  const value = given.kind === 'scalar' ? fromText(node, given) : undefined
  if (fits(node, value)) return value
  const shown = given.kind !== 'scalar' ? '' : node.secret ? '' : `, not ${JSON.stringify(given.value)}`
  const guess = typeof value === 'string' && node.enum ? suggest(value, node.enum) : undefined
  mistakes.push({
    place: given.place,
    text: `${path} must be ${expectation(node)}${shown}${guess ? `; did you mean ${guess}?` : ''}`,
  })
  return undefined
}

function checkSection(node: SchemaNode, given: Given, mistakes: Mistake[], places: Places, path: string): unknown {
  if (given.kind !== 'map') {
    mistakes.push({ place: given.place, text: `${path || 'The file'} must hold settings by name` })
    return undefined
  }
  const properties = node.properties ?? {}
  const values: Record<string, unknown> = {}
  const mistakesBefore = mistakes.length
  for (const entry of given.entries) {
    const child = Object.hasOwn(properties, entry.key) ? properties[entry.key] : undefined
    if (child === undefined) {
      mistakes.push({ place: entry.place, text: unknownKey(properties, entry.key, path) })
      continue
    }
    const value = check(child, entry.node, mistakes, places, path === '' ? entry.key : `${path}.${entry.key}`)
    if (value !== undefined) values[entry.key] = value
  }
  const inList = path.endsWith(']')
  if (inList && mistakes.length === mistakesBefore) {
    const missing = (node.required ?? []).filter(key => values[key] === undefined)
    for (const key of missing) mistakes.push({ place: given.place, text: `${path}.${key} is missing` })
  }
  return values
}

function checkList(node: SchemaNode, given: Given, mistakes: Mistake[], places: Places, path: string): unknown {
  const most = node.maxItems ?? Infinity
  if (given.kind !== 'list' || given.items.length > most) {
    mistakes.push({ place: given.place, text: `${path} must be a list of at most ${most} entries` })
    return undefined
  }
  const item = node.items ?? {}
  return given.items.map((entry, index) => check(item, entry, mistakes, places, `${path}[${index}]`))
}

/** What a shell's text stands for, if it stands for something of the setting's type. */
function fromText(node: SchemaNode, given: { value: unknown; text: boolean }): unknown {
  if (!given.text || typeof given.value !== 'string') return given.value
  if (node.type === 'integer') return /^-?\d{1,16}$/.test(given.value) ? Number(given.value) : given.value
  if (node.type === 'boolean') return given.value === 'true' ? true : given.value === 'false' ? false : given.value
  return given.value
}

function fits(node: SchemaNode, value: unknown): boolean {
  if (node.enum !== undefined) return typeof value === 'string' && node.enum.includes(value)
  if (node.type === 'boolean') return typeof value === 'boolean'
  if (node.type === 'integer') {
    const { minimum = 0, maximum = Number.MAX_SAFE_INTEGER } = node
    return Number.isSafeInteger(value) && (value as number) >= minimum && (value as number) <= maximum
  }
  if (typeof value !== 'string') return false
  if (value.length < (node.minLength ?? 0) || value.length > (node.maxLength ?? Infinity)) return false
  if (node.pattern !== undefined && !new RegExp(node.pattern).test(value)) return false
  return node.format !== 'url' || isWebAddress(value)
}

function isWebAddress(text: string): boolean {
  if (!URL.canParse(text)) return false
  const url = new URL(text)
  return /^https?:$/.test(url.protocol) && url.username === '' && url.search === '' && url.hash === ''
}

/** What a setting must be, in words. */
export function expectation(node: SchemaNode): string {
  if (node.enum !== undefined) return `one of ${node.enum.join(', ')}`
  if (node.type === 'boolean') return 'true or false'
  if (node.type === 'integer') {
    const { minimum = 0, maximum } = node
    return maximum === undefined
      ? `a whole number, at least ${minimum}`
      : `a whole number from ${minimum} to ${maximum}`
  }
  if (node.format === 'url') return 'a web address without user and query (https://host[:port])'
  if (node.shape !== undefined) return node.shape
  return node.maxLength === undefined ? 'a text that is not empty' : `a text of 1 to ${node.maxLength} characters`
}

/** Names the nearest key of the same section, or the place where a setting of this name lives. */
function unknownKey(properties: Readonly<Record<string, SchemaNode>>, key: string, path: string): string {
  const name = path === '' ? key : `${path}.${key}`
  const sibling = suggest(key, Object.keys(properties))
  let guess = sibling === undefined ? undefined : path === '' ? sibling : `${path}.${sibling}`
  if (guess === undefined) {
    eachLeaf(rootNode, leaf => {
      if (leaf.at(-1)?.toLowerCase() === key.toLowerCase()) guess ??= leaf.join('.')
    })
  }
  return `unknown setting ${name}${guess === undefined ? '' : `; did you mean ${guess}?`}`
}
