import { configSchema } from './schema.ts'

/** The parts of JSON Schema that the configuration uses, plus two words of its own. */
export type SchemaNode = {
  readonly type?: 'object' | 'array' | 'string' | 'integer' | 'boolean'
  readonly properties?: Readonly<Record<string, SchemaNode>>
  readonly required?: readonly string[]
  readonly items?: SchemaNode
  readonly enum?: readonly string[]
  readonly default?: unknown
  readonly description?: string
  readonly minimum?: number
  readonly maximum?: number
  readonly minLength?: number
  readonly maxLength?: number
  readonly maxItems?: number
  readonly pattern?: string
  readonly format?: 'url'
  /** Never shown: printed as `***`, and not repeated in mistakes. */
  readonly secret?: boolean
  /** What `pattern` means, for people. */
  readonly shape?: string
}

/** The configuration's schema as plain data. */
export const rootNode = configSchema as SchemaNode

/** The settings that nobody gave. */
export function defaultsOf(node: SchemaNode): unknown {
  if (node.default !== undefined) return structuredClone(node.default)
  if (node.properties === undefined) return undefined
  const values: Record<string, unknown> = {}
  for (const [key, child] of Object.entries(node.properties)) {
    const value = defaultsOf(child)
    if (value !== undefined) values[key] = value
  }
  return values
}

/** Calls `visit` for every leaf (anything but a section), in the order of the schema. */
export function eachLeaf(node: SchemaNode, visit: (path: readonly string[], leaf: SchemaNode) => void): void {
  walk(node, [], visit)
}

function walk(node: SchemaNode, path: readonly string[], visit: (path: readonly string[], leaf: SchemaNode) => void) {
  if (node.properties === undefined) visit(path, node)
  else for (const [key, child] of Object.entries(node.properties)) walk(child, [...path, key], visit)
}
